# Writes generated_version.hpp with the version and git hash; refreshed at every build, rewritten only when it changes.
set(RANKFLOW_GENERATED_DIR ${PROJECT_BINARY_DIR}/generated)
add_custom_target(rankflow_version
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION}
          -DOUTPUT=${RANKFLOW_GENERATED_DIR}/generated_version.hpp -P ${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake
  BYPRODUCTS ${RANKFLOW_GENERATED_DIR}/generated_version.hpp
  COMMENT "Recording the git hash")
