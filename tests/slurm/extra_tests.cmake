# On a real SLURM of the test's own, brought up and taken down by it. Without root they end with 77: skipped, and loudly.
# One after another, and therefore first: beside them run the tests that need one processor.
foreach(name IN ITEMS allocation fixture jobs mistakes sweep)
  add_test(NAME slurm_${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/${name}_test.py
    $<TARGET_FILE:rankflow> ${MPIEXEC_EXECUTABLE} ${PROJECT_SOURCE_DIR})
  set_tests_properties(slurm_${name} PROPERTIES LABELS slow RESOURCE_LOCK slurm COST 1000 TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT "${RANKFLOW_CLUSTER_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endforeach()
