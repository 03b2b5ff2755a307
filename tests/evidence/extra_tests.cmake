# Evidence: the built program against published networks and theory. docs/evidence.md tells what each test compares.
# A test that needs recordings which are not there ends with 77: skipped, and loudly.
foreach(name IN ITEMS published_eeg_trajectory published_eeg_spectrum published_eeg_evaluation connector
                      mean_field_fixed_point stationary_covariance limit_cycle_and_ring fixed_points random_bulk
                      convergence_order recovery_oscillator recovery_spikes recovery_decision
                      rank_selection rat_decision eeg_fit filter_published_eeg
                      connectivity_distances connectivity_systems connectivity_rat connectivity_tails)
  add_test(NAME evidence_${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/${name}_test.py)
  set_tests_properties(evidence_${name} PROPERTIES LABELS evidence TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};RANKFLOW=$<TARGET_FILE:rankflow>")
endforeach()
set_tests_properties(evidence_published_eeg_spectrum evidence_published_eeg_evaluation evidence_mean_field_fixed_point
  evidence_limit_cycle_and_ring evidence_recovery_oscillator evidence_recovery_spikes evidence_recovery_decision
  evidence_rank_selection evidence_rat_decision evidence_eeg_fit evidence_connectivity_distances
  evidence_connectivity_systems evidence_connectivity_rat evidence_connectivity_tails
  PROPERTIES LABELS "evidence;slow")
# 1024 hyperplanes in 3 dimensions on two ranks are the long part.
add_test(NAME evidence_fixed_point_problems
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/fixed_point_problems_test.py)
set_tests_properties(evidence_fixed_point_problems PROPERTIES LABELS "evidence;slow" TIMEOUT 900 PROCESSORS 2
  SKIP_RETURN_CODE 77 ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT};RANKFLOW=$<TARGET_FILE:rankflow>")
