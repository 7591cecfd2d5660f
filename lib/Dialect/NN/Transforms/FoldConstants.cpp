// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-fold-constants: ops whose operands are all constants are computed now.
#include "ConstantFolding.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace cim::nn {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {

/// A dequantised constant that a crossbar op reads keeps its integers: they
/// are what the arrays store.
bool feedsCrossbar(Operation *op) {
  return llvm::any_of(op->getUsers(), [&](Operation *user) {
    auto crossbar = dyn_cast<CrossbarOpInterface>(user);
    return crossbar && crossbar.getCrossbarWeights() == op->getResult(0);
  });
}

/// `type` with its per-channel axis where `permutation` moves it.
Type permuteAxis(Type type, ArrayRef<int64_t> permutation) {
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis)
    return type;
  const auto *axis =
      llvm::find(permutation, int64_t(perAxis.getQuantizedDimension()));
  return quant::UniformQuantizedPerAxisType::get(
      perAxis.getFlags(), perAxis.getStorageType(), perAxis.getExpressedType(),
      perAxis.getScales(), perAxis.getZeroPoints(), axis - permutation.begin(),
      perAxis.getStorageTypeMin(), perAxis.getStorageTypeMax());
}

struct FoldConstants : nn::impl::FoldConstantsPassBase<FoldConstants> {
  using FoldConstantsPassBase::FoldConstantsPassBase;

  void runOnOperation() override {
    getOperation().walk([&](Block *block) {
      for (Operation &op : llvm::make_early_inc_range(*block))
        visit(&op);
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
        if (isa_and_nonnull<NNDialect>(op.getDialect()) &&
            isOpTriviallyDead(&op))
          op.erase();
    });
  }

private:
  void visit(Operation *op) {
    if (!isFoldable(op) || exceedsLimit(op))
      return;
    OpBuilder builder(op);
    if (auto transpose = dyn_cast<TransposeOp>(op))
      if (succeeded(transposeIntegers(builder, transpose)))
        return;
    if (isa<DequantizeOp>(op) && feedsCrossbar(op))
      return;
    FailureOr<ElementsAttr> value = foldConstantOp(op);
    if (failed(value))
      return;
    auto constant = ConstantOp::create(builder, op->getLoc(),
                                       op->getResult(0).getType(), *value);
    op->getResult(0).replaceAllUsesWith(constant);
  }

  /// Broadcasts and pads can make much of little.
  bool exceedsLimit(Operation *op) {
    auto size = [](Value value) {
      return cast<ShapedType>(value.getType()).getNumElements();
    };
    int64_t largest = limit;
    for (Value operand : op->getOperands())
      largest = std::max(largest, size(operand));
    return size(op->getResult(0)) > largest;
  }

  /// Transposes the integers below a nn.dequantize, so that weights which
  /// arrive quantised stay quantised.
  static LogicalResult transposeIntegers(OpBuilder &builder,
                                         TransposeOp transpose) {
    auto dequantize = transpose.getInput().getDefiningOp<DequantizeOp>();
    if (!dequantize)
      return failure();
    auto constant = dequantize.getInput().getDefiningOp<ConstantOp>();
    if (!constant)
      return failure();
    FailureOr<ElementsAttr> value = transposeElements(
        constant.getLoc(), constant.getValue(), transpose.getPermutation());
    if (failed(value))
      return failure();
    Type element = permuteAxis(constant.getType().getElementType(),
                               transpose.getPermutation());
    auto moved = ConstantOp::create(
        builder, constant.getLoc(),
        RankedTensorType::get(transpose.getType().getShape(), element), *value);
    auto result = DequantizeOp::create(builder, dequantize.getLoc(),
                                       transpose.getType(), moved);
    transpose.getResult().replaceAllUsesWith(result.getResult());
    return success();
  }
};

} // namespace
