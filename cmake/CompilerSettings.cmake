# Language level, warnings and code generation of our own targets.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
option(RANKFLOW_TESTS "Build the tests" ON)
option(RANKFLOW_BENCH "Build the benchmarks" ON)
option(RANKFLOW_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
option(RANKFLOW_TOGETHER "Compile the files of a layer together: a third of the time for a build that is made once" OFF)
option(RANKFLOW_ASSERTIONS "Keep assertions in optimised builds" OFF)
set(RANKFLOW_ARCH "native" CACHE STRING "Value of -march; empty for the compiler's baseline")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(ENV{CMAKE_CXX_COMPILER_LAUNCHER} ${CCACHE})  # for the probes' own small projects
endif()

add_library(rankflow_settings INTERFACE)
target_compile_features(rankflow_settings INTERFACE cxx_std_20)
if(RANKFLOW_TOGETHER)  # where files meet that never meet otherwise; the other builds look at each alone
  target_compile_options(rankflow_settings INTERFACE -Wno-subobject-linkage)
else()
  target_compile_options(rankflow_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
endif()
# A product and a sum are fused only where the code says so (model/fused_product.hpp): otherwise the same expression, inlined into two places,
# may round differently, and a resumed run would not repeat the bits of a straight one.
target_compile_options(rankflow_settings INTERFACE -ffp-contract=off)
if(RANKFLOW_ARCH)
  target_compile_options(rankflow_settings INTERFACE -march=${RANKFLOW_ARCH})
endif()
# x86 compilers keep to 256-bit vectors by default; our kernels stream long arrays.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mprefer-vector-width=512 RANKFLOW_HAS_WIDE_VECTORS)
if(RANKFLOW_HAS_WIDE_VECTORS)
  target_compile_options(rankflow_settings INTERFACE -mprefer-vector-width=512)
endif()
if(RANKFLOW_SANITIZE)
  target_compile_options(rankflow_settings INTERFACE
    -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    # vector code converts every lane, also those that a selection then drops
    -fno-sanitize=float-cast-overflow)
  target_link_options(rankflow_settings INTERFACE -fsanitize=address,undefined)
  # Unrolled registers: minutes of compilation each with checks inside, more than all other files together. What calls
  # them is checked.
  set(RANKFLOW_UNCHECKED src/smc/low_rank_step_piecewise.cpp src/smc/low_rank_step_smooth.cpp
    src/smc/guided_update.cpp src/simulate/tile_kernels_double.cpp src/simulate/tile_kernels_single.cpp
    src/flow/dense_layers.cpp)
  set_source_files_properties(${RANKFLOW_UNCHECKED} PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
endif()
if(RANKFLOW_ASSERTIONS)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  target_compile_definitions(rankflow_settings INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # at -O0 its AVX-512 shifts are macros whose casts xsimd's types do not pass
  string(APPEND CMAKE_CXX_FLAGS_DEBUG " -Og")
endif()
string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
set(CMAKE_CXX_EXTENSIONS OFF)

# GCC 12 takes the _mm512_undefined_* of its own intrinsics header for uninitialised reads once they are inlined
# (GCC bug 105593, mended in 13), and reports overlapping copies inside std::string (bug 105651, mended in 13). Clang's analyzer, which tests/run.sh runs, looks for the real ones.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(rankflow_settings INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict)
endif()
