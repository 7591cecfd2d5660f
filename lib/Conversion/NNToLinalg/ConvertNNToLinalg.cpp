// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-nn-to-linalg: the nn dialect to linalg, tensor, arith and math.
#include "Lowering.h"

#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"

namespace cim {
#define GEN_PASS_DEF_CONVERTNNTOLINALGPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// nn.observe becomes a call of a function that convert-cim-to-llvm knows.
struct LowerObserve : OpConversionPattern<nn::ObserveOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ObserveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    Value flat = createReshape(rewriter, loc, adaptor.getInput(),
                               {type.getNumElements()});
    Value list = tensor::CastOp::create(
        rewriter, loc, type.clone({ShapedType::kDynamic}), flat);
    Value number = arith::ConstantOp::create(rewriter, loc, op.getValueAttr());
    func::CallOp::create(rewriter, loc, kObserveFunction, TypeRange{},
                         ValueRange{list, number});
    rewriter.eraseOp(op);
    return success();
  }
};

struct ConvertNNToLinalg
    : cim::impl::ConvertNNToLinalgPassBase<ConvertNNToLinalg> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    MLIRContext *context = &getContext();
    if (failed(checkTypes(module)))
      return signalPassFailure();
    declareObserve(module);
    transposeWeights(module);

    StorageTypeConverter converter;
    RewritePatternSet patterns(context);
    populateElementwisePatterns(converter, patterns);
    populateConvolutionPatterns(converter, patterns);
    populateMatMulPatterns(converter, patterns);
    populatePoolingPatterns(converter, patterns);
    populateReductionPatterns(converter, patterns);
    populateIndexingPatterns(converter, patterns);
    populateTopKPatterns(converter, patterns);
    populateMovementPatterns(converter, patterns);
    populateQuantizationPatterns(converter, patterns);
    patterns.add<LowerObserve>(converter, context);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);

    ConversionTarget target(*context);
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalDialect<nn::NNDialect>();
    target.addIllegalOp<quant::StorageCastOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    target.addDynamicallyLegalOp<func::ReturnOp, func::CallOp>(
        [&](Operation *op) { return converter.isLegal(op); });
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      signalPassFailure();
  }

private:
  /// Patterns rely on what is checked here, so that there is one diagnostic.
  static LogicalResult checkTypes(ModuleOp module) {
    WalkResult result = module.walk([](Operation *op) {
      if (!isa_and_nonnull<nn::NNDialect>(op->getDialect()))
        return WalkResult::advance();
      SmallVector<Type> types(op->getOperandTypes());
      llvm::append_range(types, op->getResultTypes());
      for (Type type : types) {
        auto quantized =
            dyn_cast<quant::QuantizedType>(getElementTypeOrSelf(type));
        if (!quantized || succeeded(Quantization::get(quantized)))
          continue;
        op->emitOpError("cannot be lowered: expected quantised values of 8 or "
                        "16 bits with a scale per tensor or per channel, but "
                        "got ")
            << quantized;
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  static void declareObserve(ModuleOp module) {
    bool observes = false;
    module.walk([&](nn::ObserveOp) { observes = true; });
    if (!observes)
      return;
    auto builder = OpBuilder::atBlockBegin(module.getBody());
    auto list =
        RankedTensorType::get({ShapedType::kDynamic}, builder.getF32Type());
    auto function = func::FuncOp::create(
        builder, module.getLoc(), kObserveFunction,
        builder.getFunctionType({list, builder.getI64Type()}, {}));
    function.setPrivate();
    function.setArgAttr(
        0, bufferization::BufferizationDialect::kBufferAccessAttrName,
        builder.getStringAttr("read"));
  }
};

} // namespace
