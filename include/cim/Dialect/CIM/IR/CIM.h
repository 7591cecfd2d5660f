// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cim dialect: matrices on crossbar arrays and their program.
#ifndef CIM_DIALECT_CIM_IR_CIM_H
#define CIM_DIALECT_CIM_IR_CIM_H

#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "cim/Dialect/CIM/IR/CIMDialect.h.inc"
#include "cim/Dialect/CIM/IR/CIMEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "cim/Dialect/CIM/IR/CIMAttrs.h.inc"

#define GET_OP_CLASSES
#include "cim/Dialect/CIM/IR/CIMOps.h.inc"

#endif // CIM_DIALECT_CIM_IR_CIM_H
