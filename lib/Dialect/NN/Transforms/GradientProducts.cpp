// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradients of nn.conv and nn.matmul.
#include "GradientRules.h"

using namespace mlir;
using namespace cim::nn;

Value cim::nn::spread(TensorBuilder &b, Value gradient,
                      const Windows &windows) {
  SmallVector<int64_t> extents(shapeOf(gradient).take_front(2)), starts(2, 0),
      steps(2, 1);
  for (auto [extent, kernel, stride, dilation, pad] :
       llvm::zip_equal(windows.extents, windows.kernel, windows.strides,
                       windows.dilations, windows.pads)) {
    int64_t reach = (kernel - 1) * dilation;
    extents.push_back(extent + reach);
    starts.push_back(reach - pad);
    steps.push_back(stride);
  }
  return b.place(gradient, extents, starts, steps);
}

Value cim::nn::createInputGradient(Gradients &gradients, Value gradient,
                                   Value kernels, const Windows &windows,
                                   int64_t groups) {
  size_t spatial = windows.kernel.size();
  SmallVector<int64_t> ones(spatial, 1), pads(2 * spatial, 0);
  return gradients.make<ConvOp>(spread(gradients, gradient, windows), kernels,
                                Value(), ones, windows.dilations, pads, groups);
}

/// F x C/groups x spatial with input and output channels swapped, in every
/// group by itself, and all taps in reverse.
static Value swapChannels(Value weights, int64_t groups, Gradients &gradients) {
  ArrayRef<int64_t> shape = shapeOf(weights), spatial = shape.drop_front(2);
  SmallVector<int64_t> split{groups, shape[0] / groups, shape[1]};
  SmallVector<int64_t> swapped{groups * shape[1], shape[0] / groups};
  llvm::append_range(split, spatial);
  llvm::append_range(swapped, spatial);
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, split.size()));
  std::swap(permutation[1], permutation[2]);
  Value kernels =
      gradients.transpose(gradients.reshape(weights, split), permutation);
  return gradients.reverse(
      gradients.reshape(kernels, swapped),
      llvm::to_vector(llvm::seq<int64_t>(2, shape.size())));
}

static Value transposeLast(TensorBuilder &b, Value matrices) {
  int64_t rank = shapeOf(matrices).size();
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[rank - 2], permutation[rank - 1]);
  return b.transpose(matrices, permutation);
}

static LogicalResult differentiateConv(ConvOp op, Value gradient,
                                       Gradients &gradients) {
  if (gradients.isWanted(op.getWeights()))
    return op.emitOpError("has no gradient with respect to its weights");
  int64_t groups = op.getGroups();
  ArrayRef<int64_t> extents = shapeOf(op.getInput()).drop_front(2);
  Windows windows{
      SmallVector<int64_t>(extents),
      SmallVector<int64_t>(shapeOf(op.getWeights()).drop_front(2)),
      SmallVector<int64_t>(op.getStrides()),
      SmallVector<int64_t>(op.getDilations()),
      SmallVector<int64_t>(op.getPads().take_front(extents.size()))};
  gradients.add(op.getInput(), [&] {
    Value kernels =
        swapChannels(gradients.real(op.getWeights()), groups, gradients);
    return createInputGradient(gradients, gradient, kernels, windows, groups);
  });
  if (!op.getBias())
    return success();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, extents.size() + 2));
  axes.erase(axes.begin() + 1);
  gradients.add(op.getBias(), [&] {
    return gradients.reshape(gradients.sum(gradient, axes),
                             shapeOf(op.getBias()));
  });
  return success();
}

/// Leading dimensions that an operand was broadcast along are summed over.
static void differentiateMatMul(MatMulOp op, Value gradient,
                                Gradients &gradients) {
  bool transposed = op.getTransposeB();
  gradients.add(op.getA(), [&] {
    return gradients.make<MatMulOp>(gradient, gradients.real(op.getB()),
                                    Value(), !transposed);
  });
  gradients.add(op.getB(), [&] {
    Value a = gradients.real(op.getA());
    Value left = transposed ? gradient : a, right = transposed ? a : gradient;
    return gradients.make<MatMulOp>(transposeLast(gradients, left), right,
                                    Value(), /*transpose_b=*/false);
  });
  if (op.getBias())
    gradients.add(op.getBias(), [&] { return gradient; });
}

void cim::nn::addProductRules(GradientRules &rules) {
  rules.add<ConvOp>(differentiateConv);
  rules.add<MatMulOp>(differentiateMatMul);
}
