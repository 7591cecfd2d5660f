// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bufferisation of cim.stream: the same op on buffers, without a result.
#include "cim/Conversion/CIMToLLVM/Bufferization.h"

#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace cim {
namespace {

struct StreamBufferization
    : DstBufferizableOpInterfaceExternalModel<StreamBufferization, StreamOp> {
  /// The output is overwritten whatever was in it.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<StreamOp>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto stream = cast<StreamOp>(op);
    if (!stream.getResult())
      return success();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    FailureOr<Value> input =
        getBuffer(rewriter, stream.getInput(), options, state);
    FailureOr<Value> output =
        getBuffer(rewriter, stream.getOutput(), options, state);
    if (failed(input) || failed(output))
      return failure();
    StreamOp::create(rewriter, op->getLoc(), TypeRange{}, stream.getLayerAttr(),
                     *input, *output);
    replaceOpWithBufferizedValues(rewriter, op, *output);
    return success();
  }
};

} // namespace

void registerBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CIMDialect *) {
    StreamOp::attachInterface<StreamBufferization>(*context);
  });
}

} // namespace cim
