# The queue of cases by itself: cases that sleep.
add_executable(sleeping_cases ${CMAKE_CURRENT_LIST_DIR}/sleeping_cases.cpp)
target_link_libraries(sleeping_cases PRIVATE rankflow_sweep)
add_dependencies(mpi_tests sleeping_cases)
add_test(NAME sweep_makespan COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/makespan_test.py
  ${MPIEXEC_EXECUTABLE} $<TARGET_FILE:sleeping_cases>)
set_tests_properties(sweep_makespan PROPERTIES LABELS drivers PROCESSORS 2 TIMEOUT 300
  ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT}")

add_test(NAME sweep_execution COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/execution_test.py
  $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
set_tests_properties(sweep_execution PROPERTIES LABELS slow PROCESSORS 2 TIMEOUT 600
  ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")

add_test(NAME sweep_results COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/results_test.py
  $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
set_tests_properties(sweep_results PROPERTIES LABELS drivers PROCESSORS 2 TIMEOUT 300
  ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")

add_test(NAME sweep_halving_execution COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/halving_execution_test.py
  $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
set_tests_properties(sweep_halving_execution PROPERTIES LABELS slow PROCESSORS 2 TIMEOUT 600
  ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")

add_test(NAME sweep_moved COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/moved_test.py
  $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
set_tests_properties(sweep_moved PROPERTIES LABELS slow PROCESSORS 2 TIMEOUT 600
  ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")

foreach(name IN ITEMS flow measured)
  add_test(NAME sweep_${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/${name}_test.py
    $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
  set_tests_properties(sweep_${name} PROPERTIES LABELS drivers PROCESSORS 2 TIMEOUT 300
    ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endforeach()
# One command after another, without launcher: two of these at once.
set_tests_properties(sweep_results sweep_moved sweep_flow PROPERTIES PROCESSORS 1)
