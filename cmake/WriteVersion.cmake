execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
  OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR hash STREQUAL "")
  set(hash "unknown")
endif()
file(WRITE ${OUTPUT}.new "#pragma once
#define RANKFLOW_VERSION \"${VERSION}\"
#define RANKFLOW_GIT_HASH \"${hash}\"
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
