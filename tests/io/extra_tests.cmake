# Files as other programs see them: written by 1 and by 3 ranks, opened in xarray and h5py; and the reverse.
# Debian's interpreter, which has python3-xarray, python3-h5py and python3-h5netcdf.
add_executable(io_exchange ${CMAKE_CURRENT_LIST_DIR}/exchange.cpp)
target_include_directories(io_exchange PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(io_exchange PRIVATE rankflow_io)
add_dependencies(unit_tests io_exchange)
add_test(NAME io_xarray
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/xarray_check.py $<TARGET_FILE:io_exchange> ${MPIEXEC_EXECUTABLE})
set_tests_properties(io_xarray PROPERTIES LABELS drivers TIMEOUT 300 ENVIRONMENT "${RANKFLOW_TEST_ENVIRONMENT}")
