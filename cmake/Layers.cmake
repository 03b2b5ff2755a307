# rankflow_layer(name LINKS …): static library rankflow_<name> from src/<name>/*.cpp; headers only while there is none.
# With RANKFLOW_TOGETHER names in anonymous namespaces have to differ within a layer.
function(rankflow_layer name)
  cmake_parse_arguments(LAYER "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  set(kind STATIC)
  set(scope PUBLIC)
  if(NOT sources)
    set(kind INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(rankflow_${name} ${kind} ${sources})
  target_include_directories(rankflow_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(rankflow_${name} ${scope} rankflow_settings ${LAYER_LINKS})
  if(RANKFLOW_TOGETHER AND sources)
    set_target_properties(rankflow_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()

# What every test runs under: more ranks than cores, root in a container, one thread per rank.
set(RANKFLOW_CLUSTER_TEST_ENVIRONMENT OMP_NUM_THREADS=1 GTEST_COLOR=no
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1)
# On one host, moreover: no search for fast networks, which takes half of the time of
# a short run (0.5 s become 0.3 s); no ranks tied to cores, as two jobs at once are tied to the same ones. The tests on
# SLURM run without these settings, as users do.
set(RANKFLOW_TEST_ENVIRONMENT ${RANKFLOW_CLUSTER_TEST_ENVIRONMENT}
  OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp
  OMPI_MCA_hwloc_base_binding_policy=none)

# rankflow_tests(name): one GoogleTest executable test_<name> from tests/<name>/*_test.cpp, run without a launcher.
# Files *_mpi_test.cpp go into test_<name>_mpi, run on 1, 2, 3 and 4 ranks.
# Labels: unit, mpi; targets that build them: unit_tests, mpi_tests.
function(rankflow_tests name)
  file(GLOB all CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cpp)
  set(parallel ${all})
  list(FILTER all EXCLUDE REGEX "_mpi_test\\.cpp$")
  list(FILTER parallel INCLUDE REGEX "_mpi_test\\.cpp$")
  if(all)
    add_executable(test_${name} ${all})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test_${name} PRIVATE rankflow_${name} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300 ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT}")
    add_dependencies(unit_tests test_${name})
  endif()
  if(parallel)
    add_executable(test_${name}_mpi ${parallel} ${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp)
    target_include_directories(test_${name}_mpi PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test_${name}_mpi PRIVATE rankflow_${name} GTest::gmock)
    add_dependencies(mpi_tests test_${name}_mpi)
    foreach(ranks 1 2 3 4)
      add_test(NAME ${name}_on_${ranks}_ranks
        COMMAND ${MPIEXEC_EXECUTABLE} -n ${ranks} $<TARGET_FILE:test_${name}_mpi>
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${name}_on_${ranks}_ranks PROPERTIES LABELS mpi PROCESSORS 2 TIMEOUT 300
        ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};RANKFLOW_EXPECTED_RANKS=${ranks}")
    endforeach()
  endif()
endfunction()
