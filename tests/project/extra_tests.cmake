# The configuration against broken libraries; "good" is the control.
foreach(case good missing_library serial_hdf5 broken_hdf5 two_mpis)
  add_test(NAME configure_${case}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/configure_test.sh ${PROJECT_SOURCE_DIR} ${case})
  set_tests_properties(configure_${case} PROPERTIES LABELS project TIMEOUT 120
    ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT}")
endforeach()
