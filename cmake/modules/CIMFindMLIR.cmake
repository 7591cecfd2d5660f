# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Debian's LLVM/MLIR 22 packages, used through libMLIR.so only: one static
# MLIR archive beside the shared library aborts at start-up with "option
# registered more than once".

find_program(CIM_LLVM_CONFIG llvm-config-22 REQUIRED)
execute_process(COMMAND ${CIM_LLVM_CONFIG} --prefix
                OUTPUT_VARIABLE CIM_LLVM_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
set(MLIR_DIR ${CIM_LLVM_PREFIX}/lib/cmake/mlir CACHE PATH "")
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_PACKAGE_VERSION MATCHES "^22\\.")
  message(FATAL_ERROR "cim needs LLVM/MLIR 22, found ${LLVM_PACKAGE_VERSION}")
endif()

set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(MLIR_BINARY_DIR ${PROJECT_BINARY_DIR})

# The package's default, llvm-lit, does not exist.
set(LLVM_EXTERNAL_LIT ${CIM_LLVM_PREFIX}/bin/lit CACHE FILEPATH "")
set(LLVM_TOOLS_DIR ${CIM_LLVM_PREFIX}/bin)

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND ${LLVM_DEFINITIONS})
add_definitions(${LLVM_DEFINITIONS_LIST})
# The package is built with RTTI and without exceptions.
set(CIM_LLVM_COMPILE_OPTIONS -fno-exceptions)
