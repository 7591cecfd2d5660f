// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-fold-constants: ops whose operands are all constants are computed now.
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"
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

/// A dequantised constant that a crossbar op reads, maybe moved, keeps its
/// integers: they are what the arrays store.
bool feedsCrossbar(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (isa<TransposeOp, ReshapeOp, SliceOp>(user))
      return feedsCrossbar(user->getResult(0));
    auto crossbar = dyn_cast<CrossbarOpInterface>(user);
    return crossbar && crossbar.getCrossbarWeights() == value;
  });
}

/// The dimension that `op`, which moves data, makes of dimension `axis`.
std::optional<int64_t> movedAxis(Operation *op, int64_t axis) {
  if (isa<SliceOp>(op))
    return axis;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    return llvm::find(permutation, axis) - permutation.begin();
  }
  auto reshape = cast<ReshapeOp>(op);
  ArrayRef<int64_t> from = cast<ShapedType>(reshape.getInput().getType())
                               .getShape(),
                    to = cast<ShapedType>(reshape.getType()).getShape();
  for (int64_t dim = 0, rank = to.size(); dim < rank; ++dim)
    if (to[dim] == from[axis] &&
        llvm::product_of(to.drop_front(dim + 1)) ==
            llvm::product_of(from.drop_front(axis + 1)))
      return dim;
  return std::nullopt;
}

/// The quantised type behind `op`, or null when it has no scale per dimension.
Type movedType(Operation *op, Type type) {
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis)
    return type;
  std::optional<int64_t> axis = movedAxis(op, perAxis.getQuantizedDimension());
  if (!axis)
    return {};
  SmallVector<double> scales(perAxis.getScales());
  SmallVector<int64_t> zeroPoints(perAxis.getZeroPoints());
  if (auto slice = dyn_cast<SliceOp>(op)) {
    scales.resize(slice.getSizes()[*axis]);
    zeroPoints.resize(scales.size());
    for (size_t i = 0; i < scales.size(); ++i) {
      int64_t from = slice.getStarts()[*axis] + i * slice.getSteps()[*axis];
      scales[i] = perAxis.getScales()[from];
      zeroPoints[i] = perAxis.getZeroPoints()[from];
    }
  }
  return quant::UniformQuantizedPerAxisType::get(
      perAxis.getFlags(), perAxis.getStorageType(), perAxis.getExpressedType(),
      scales, zeroPoints, *axis, perAxis.getStorageTypeMin(),
      perAxis.getStorageTypeMax());
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
    if (feedsCrossbar(op->getResult(0)) &&
        (isa<DequantizeOp>(op) || succeeded(moveIntegers(builder, op))))
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
    int64_t operands = 0;
    for (Value operand : op->getOperands())
      operands += size(operand);
    return size(op->getResult(0)) > std::max<int64_t>(limit, operands);
  }

  /// Moves the integers below a nn.dequantize, so that weights which arrive
  /// quantised stay quantised.
  static LogicalResult moveIntegers(OpBuilder &builder, Operation *op) {
    if (!isa<TransposeOp, ReshapeOp, SliceOp>(op))
      return failure();
    auto dequantize = op->getOperand(0).getDefiningOp<DequantizeOp>();
    if (!dequantize)
      return failure();
    auto constant = dequantize.getInput().getDefiningOp<ConstantOp>();
    Type element = movedType(op, constant.getType().getElementType());
    FailureOr<ElementsAttr> value = moveElements(op, constant.getValue());
    if (!element || failed(value))
      return failure();
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    auto moved = ConstantOp::create(builder, constant.getLoc(),
                                    type.clone(element), *value);
    auto result =
        DequantizeOp::create(builder, dequantize.getLoc(), type, moved);
    op->getResult(0).replaceAllUsesWith(result.getResult());
    return success();
  }
};

} // namespace
