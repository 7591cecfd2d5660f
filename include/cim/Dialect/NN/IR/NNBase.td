// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Base classes of the operators of the nn dialect.
#ifndef CIM_DIALECT_NN_IR_NNBASE_TD
#define CIM_DIALECT_NN_IR_NNBASE_TD

include "cim/Dialect/NN/IR/NNDialect.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class NN_Op<string mnemonic, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, !listconcat([Pure], traits)>;

/// An op whose result type follows from operands and attributes; the verifier
/// and the builders share one inference function.
class NN_InferredOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat(traits, [InferTypeOpAdaptor])> {
  let assemblyFormat = "`(` operands `)` attr-dict `:` functional-type(operands, results)";
}

#endif // CIM_DIALECT_NN_IR_NNBASE_TD
