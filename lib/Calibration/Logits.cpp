// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the channels of a layer's result go.
#include "Logits.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace cim {

/// Which dimension of a reshape's result is dimension `dim` of its input.
static std::optional<int64_t> findReshaped(nn::ReshapeOp op, int64_t dim) {
  ArrayRef<int64_t> from = op.getInput().getType().getShape();
  ArrayRef<int64_t> to = op.getType().getShape();
  auto inner = [](ArrayRef<int64_t> shape, int64_t dim) {
    return ShapedType::getNumElements(shape.drop_front(dim + 1));
  };
  for (int64_t i = 0, rank = to.size(); i < rank; ++i)
    if (to[i] == from[dim] && inner(to, i) == inner(from, dim))
      return i;
  return std::nullopt;
}

void followChannels(Value value, int64_t dim,
                    llvm::function_ref<void(OpOperand &, int64_t)> use) {
  for (OpOperand &operand : value.getUses()) {
    Operation *user = operand.getOwner();
    if (auto transpose = dyn_cast<nn::TransposeOp>(user)) {
      auto moved = llvm::find(transpose.getPermutation(), dim);
      followChannels(transpose, moved - transpose.getPermutation().begin(),
                     use);
    } else if (auto reshape = dyn_cast<nn::ReshapeOp>(user)) {
      if (std::optional<int64_t> moved = findReshaped(reshape, dim))
        followChannels(reshape, *moved, use);
    } else {
      use(operand, dim);
    }
  }
}

bool areLogits(Value value, int64_t dim, bool outputs) {
  bool found = false;
  followChannels(value, dim, [&](OpOperand &operand, int64_t at) {
    if (auto softmax = dyn_cast<nn::SoftmaxOp>(operand.getOwner()))
      found |= int64_t(softmax.getAxis()) == at;
    else
      found |= outputs && isa<func::ReturnOp>(operand.getOwner());
  });
  return found;
}

} // namespace cim
