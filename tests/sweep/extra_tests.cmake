# The queue of cases by itself: cases that sleep.
add_executable(sleeping_cases ${CMAKE_CURRENT_LIST_DIR}/sleeping_cases.cpp)
target_link_libraries(sleeping_cases PRIVATE rankflow_sweep)
add_dependencies(mpi_tests sleeping_cases)
add_test(NAME sweep_makespan COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/makespan_test.py
  ${MPIEXEC_EXECUTABLE} $<TARGET_FILE:sleeping_cases>)
set_tests_properties(sweep_makespan PROPERTIES LABELS drivers PROCESSORS 2 TIMEOUT 300
  ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT}")

# rankflow_sweep_test(name label): sweep_<name> is tests/sweep/<name>_test.py RANKFLOW MPIEXEC SOURCE.
function(rankflow_sweep_test name label)
  add_test(NAME sweep_${name} COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/sweep/${name}_test.py
    $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
  set_tests_properties(sweep_${name} PROPERTIES LABELS ${label} PROCESSORS 2 TIMEOUT 600
    ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endfunction()
rankflow_sweep_test(results drivers)
rankflow_sweep_test(flow drivers)
rankflow_sweep_test(execution slow)
rankflow_sweep_test(halving_execution slow)
rankflow_sweep_test(measured slow)
rankflow_sweep_test(moved slow)
# One command after another, without launcher: two of these at once.
set_tests_properties(sweep_results sweep_moved sweep_flow PROPERTIES PROCESSORS 1)
