# rankflow_layer(name LINKS …): static library rankflow_<name> from src/<name>/*.cpp.
function(rankflow_layer name)
  cmake_parse_arguments(LAYER "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(rankflow_${name} STATIC ${sources})
  target_include_directories(rankflow_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(rankflow_${name} PUBLIC rankflow_settings ${LAYER_LINKS})
endfunction()

# rankflow_tests(name): one GoogleTest executable test_<name> from tests/<name>/*_test.cpp, run without a launcher.
# Files *_mpi_test.cpp go into test_<name>_mpi, run on 1, 2, 3 and 4 ranks.
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
  endif()
  if(parallel)
    add_executable(test_${name}_mpi ${parallel} ${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp)
    target_include_directories(test_${name}_mpi PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test_${name}_mpi PRIVATE rankflow_${name} GTest::gmock)
    foreach(ranks 1 2 3 4)
      add_test(NAME ${name}_on_${ranks}_ranks
        COMMAND ${MPIEXEC_EXECUTABLE} -n ${ranks} $<TARGET_FILE:test_${name}_mpi>
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${name}_on_${ranks}_ranks PROPERTIES
        ENVIRONMENT "RANKFLOW_EXPECTED_RANKS=${ranks}" PROCESSORS 2 TIMEOUT 300)
    endforeach()
  endif()
endfunction()
