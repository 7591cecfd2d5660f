// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Definitions of the crossbar op interface.
#include "cim/Interfaces/CrossbarOpInterface.h"

#include "cim/Interfaces/CrossbarOpInterface.cpp.inc"
