// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the cim dialect.
#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace cim;

#include "cim/Dialect/CIM/IR/CIMDialect.cpp.inc"
#include "cim/Dialect/CIM/IR/CIMEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "cim/Dialect/CIM/IR/CIMAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "cim/Dialect/CIM/IR/CIMOps.cpp.inc"

void CIMDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "cim/Dialect/CIM/IR/CIMAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "cim/Dialect/CIM/IR/CIMOps.cpp.inc"
      >();
}
