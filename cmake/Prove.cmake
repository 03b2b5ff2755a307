# How a library is proved usable before anything of ours is compiled.
include(OneMpi)

# rankflow_stop(text…): ends the configuration with the pieces of text joined. Indented, so that CMake does not rewrap it.
function(rankflow_stop)
  set(text "")
  math(EXPR last "${ARGC} - 1")
  foreach(index RANGE ${last})  # by index: a list would lose the semicolons of the compiler's output
    string(APPEND text "${ARGV${index}}")
  endforeach()
  string(REPLACE "\n" "\n  " text "${text}")
  message(FATAL_ERROR "  ${text}\n")
endfunction()

# rankflow_require(FOUND_VARIABLE library debian_packages): stops with the package to install when it was not found.
function(rankflow_require found library packages)
  if(NOT ${found})
    rankflow_stop("${library} was not found.\n"
      "Fix: apt-get install ${packages} (jobs/install_dependencies.sh installs all that is missing), "
      "or name its prefix in -DCMAKE_PREFIX_PATH.")
  endif()
endfunction()

# rankflow_prove(name library debian_packages targets…): compiles and links cmake/probes/<name>.cpp with the targets.
# A success is remembered for the probe and the link interface it was made with, a failure is not.
function(rankflow_prove name library packages)
  set(source ${PROJECT_SOURCE_DIR}/cmake/probes/${name}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(SHA256 ${source} key)
  foreach(target IN LISTS ARGN)
    get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
    string(APPEND key " ${links}")
  endforeach()
  if(RANKFLOW_PROVED_${name} STREQUAL key AND EXISTS ${PROJECT_BINARY_DIR}/probes/${name})
    return()
  endif()
  try_compile(proved SOURCES ${source} LINK_LIBRARIES ${ARGN}
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED TRUE CXX_EXTENSIONS FALSE
    OUTPUT_VARIABLE output COPY_FILE ${PROJECT_BINARY_DIR}/probes/${name} COPY_FILE_ERROR copy_error NO_CACHE)
  if(NOT proved)
    rankflow_stop("${library} was found but a small program does not compile and link with it "
      "(cmake/probes/${name}.cpp).\n"
      "Fix: apt-get install --reinstall ${packages}, or name another installation's prefix in -DCMAKE_PREFIX_PATH; "
      "configure in an empty build directory.\nThe compiler said:\n${output}")
  endif()
  message(STATUS "Proved ${library}")
  set(RANKFLOW_PROVED_${name} "${key}" CACHE INTERNAL "probe and link interface of the last success")
endfunction()

# rankflow_prove_one_mpi(names…): the probes of these names must all load one and the same MPI library.
function(rankflow_prove_one_mpi)
  set(reports "")
  foreach(name IN LISTS ARGN)
    execute_process(COMMAND ldd ${PROJECT_BINARY_DIR}/probes/${name} OUTPUT_VARIABLE report ERROR_VARIABLE report)
    set(report_${name} "${report}")
  endforeach()
  rankflow_mpi_conflict(conflict ${ARGN})
  if(conflict)
    rankflow_stop("The libraries found were built with different MPI libraries:\n${conflict}"
      "A program that loads two of them crashes or computes nonsense.\n"
      "Fix: take all of MPI, HDF5, PETSc and SUNDIALS from one MPI: apt-get install libopenmpi-dev "
      "libhdf5-openmpi-dev libpetsc-real-dev libsundials-dev, or name matching prefixes "
      "(-DMPI_HOME, -DHDF5_ROOT, -DCMAKE_PREFIX_PATH); configure in an empty build directory.")
  endif()
endfunction()
