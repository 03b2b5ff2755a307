# The built program from outside, as a user meets it: Debian's interpreter, which has python3-h5py.
add_executable(failing_rank ${CMAKE_CURRENT_LIST_DIR}/failing_rank.cpp)
target_link_libraries(failing_rank PRIVATE rankflow_parallel)
add_dependencies(mpi_tests failing_rank)

# rankflow_driver_test(name label): tests/drivers/<name>_test.py RANKFLOW MPIEXEC SOURCE [arguments…].
function(rankflow_driver_test name label)
  add_test(NAME ${name} COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/drivers/${name}_test.py
    $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR} ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS ${label} PROCESSORS 2 TIMEOUT 1500 SKIP_RETURN_CODE 77
    ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endfunction()
rankflow_driver_test(examples drivers)
rankflow_driver_test(reference drivers)
rankflow_driver_test(documentation drivers)
rankflow_driver_test(failing_rank drivers $<TARGET_FILE:failing_rank>)
rankflow_driver_test(imports drivers)
rankflow_driver_test(imports_of_recordings drivers)
rankflow_driver_test(inspect drivers)
rankflow_driver_test(evaluate drivers)
rankflow_driver_test(input_files drivers)
rankflow_driver_test(compare slow)
rankflow_driver_test(populations slow)
rankflow_driver_test(identifiability slow)
rankflow_driver_test(bad_input slow)
rankflow_driver_test(rank_independence slow)
rankflow_driver_test(resume slow)
rankflow_driver_test(fit_vsmc slow)
rankflow_driver_test(filter slow)
rankflow_driver_test(fit_bad_input slow)
rankflow_driver_test(fit_flow slow)
# One command after another: two of these at once.
set_tests_properties(reference imports imports_of_recordings inspect compare populations PROPERTIES PROCESSORS 1)
