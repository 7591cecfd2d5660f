# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiler flags of our own code. clang is required: g++ 12 spills the
# accumulators of the int8 kernels, which halves their speed.

option(CIM_WERROR "Treat warnings as errors" OFF)

if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "cim needs clang (found ${CMAKE_CXX_COMPILER_ID}); "
                      "use a preset: cmake --preset release")
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter -ffp-contract=off)
# Times of files would keep ccache from finding precompiled headers again.
add_compile_options("SHELL:$<$<COMPILE_LANGUAGE:CXX>:-Xclang -fno-pch-timestamp>")
if(CIM_WERROR)
  add_compile_options(-Werror)
endif()
add_link_options(-fuse-ld=lld-22)

foreach(sanitizer IN LISTS CIM_SANITIZE)
  add_compile_options(-fsanitize=${sanitizer} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizer})
endforeach()
if("undefined" IN_LIST CIM_SANITIZE)
  # libMLIR.so is not instrumented: its vtables carry no type information for
  # this check.
  add_compile_options(-fno-sanitize=vptr)
  add_link_options(-fno-sanitize=vptr)
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
