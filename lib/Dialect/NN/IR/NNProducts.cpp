// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn.conv and nn.matmul: result types and what they offer to a crossbar.
#include "Inference.h"

using namespace mlir;
using namespace cim::nn;

/// A bias holds one value per output channel.
static LogicalResult checkBias(std::optional<Location> location, Value bias,
                               int64_t channels) {
  if (!bias)
    return success();
  auto type = cast<ShapedType>(bias.getType());
  if (type.getRank() == 1 && type.getDimSize(0) == channels)
    return success();
  return inferenceError(location, "expected a bias of shape [", channels,
                        "], one value per output channel, but got [",
                        type.getShape(), "]");
}

//===----------------------------------------------------------------------===//
// ConvOp
//===----------------------------------------------------------------------===//

static LogicalResult checkConvChannels(std::optional<Location> location,
                                       ShapedType input, ShapedType weights,
                                       int64_t groups) {
  int64_t channels = input.getDimSize(1);
  if (groups < 1 || channels % groups != 0)
    return inferenceError(location, "expected 'groups' to divide the ",
                          channels, " input channels, but got ", groups);
  if (weights.getDimSize(1) != channels / groups)
    return inferenceError(location, "expected weights for ", channels / groups,
                          " input channels per group, but got ",
                          weights.getDimSize(1));
  if (weights.getDimSize(0) % groups != 0)
    return inferenceError(location, "expected 'groups' to divide the ",
                          weights.getDimSize(0), " output channels, but got ",
                          groups);
  return success();
}

LogicalResult ConvOp::inferReturnTypes(MLIRContext *context,
                                       std::optional<Location> location,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  auto weights = cast<ShapedType>(adaptor.getWeights().getType());
  if (input.getRank() != 3 && input.getRank() != 4)
    return inferenceError(location,
                          "expected an input of rank 3 or 4 (N x C x one or "
                          "two spatial dimensions), but got rank ",
                          input.getRank());
  if (weights.getRank() != input.getRank())
    return inferenceError(location, "expected weights of rank ",
                          input.getRank(), " like the input, but got rank ",
                          weights.getRank());
  size_t spatial = input.getRank() - 2;
  if (failed(checkLength(location, "strides", adaptor.getStrides(), spatial)) ||
      failed(checkLength(location, "dilations", adaptor.getDilations(),
                         spatial)) ||
      failed(checkLength(location, "pads", adaptor.getPads(), 2 * spatial)) ||
      failed(
          checkConvChannels(location, input, weights, adaptor.getGroups())) ||
      failed(checkBias(location, adaptor.getBias(), weights.getDimSize(0))))
    return failure();
  SmallVector<int64_t> shape{input.getDimSize(0), weights.getDimSize(0)};
  for (size_t i = 0; i < spatial; ++i) {
    FailureOr<int64_t> extent = inferWindowExtent(
        location, input.getDimSize(2 + i), weights.getDimSize(2 + i),
        adaptor.getStrides()[i], adaptor.getDilations()[i],
        adaptor.getPads()[i], adaptor.getPads()[spatial + i],
        /*ceilMode=*/false);
    if (failed(extent))
      return failure();
    shape.push_back(*extent);
  }
  types.push_back(RankedTensorType::get(shape, Float32Type::get(context)));
  return success();
}

Value ConvOp::getCrossbarInput() { return getInput(); }
Value ConvOp::getCrossbarWeights() { return getWeights(); }
Value ConvOp::getCrossbarBias() { return getBias(); }
int64_t ConvOp::getCrossbarChannelDim() { return 0; }

FailureOr<cim::WindowGeometry> ConvOp::getWindowGeometry(std::string &) {
  ArrayRef<int64_t> in = getInput().getType().getShape();
  ArrayRef<int64_t> weights = getWeights().getType().getShape();
  ArrayRef<int64_t> out = getType().getShape();
  bool is2d = in.size() == 4;
  WindowGeometry geometry;
  geometry.images = in[0];
  geometry.inC = in[1];
  geometry.outC = out[1];
  geometry.inW = in.back();
  geometry.outW = out.back();
  geometry.kernelW = weights.back();
  geometry.strideW = getStrides().back();
  geometry.dilationW = getDilations().back();
  geometry.padLeft = getPads()[is2d ? 1 : 0];
  geometry.groups = getGroups();
  if (!is2d)
    return geometry;
  geometry.inH = in[2];
  geometry.outH = out[2];
  geometry.kernelH = weights[2];
  geometry.strideH = getStrides()[0];
  geometry.dilationH = getDilations()[0];
  geometry.padTop = getPads()[0];
  return geometry;
}

//===----------------------------------------------------------------------===//
// MatMulOp
//===----------------------------------------------------------------------===//

LogicalResult MatMulOp::inferReturnTypes(MLIRContext *context,
                                         std::optional<Location> location,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  ArrayRef<int64_t> a = cast<ShapedType>(adaptor.getA().getType()).getShape();
  ArrayRef<int64_t> b = cast<ShapedType>(adaptor.getB().getType()).getShape();
  if (a.size() < 2 || b.size() < 2)
    return inferenceError(location,
                          "expected operands of rank 2 or more, but got ranks ",
                          a.size(), " and ", b.size());
  bool transposed = adaptor.getTransposeB();
  int64_t depthB = b[b.size() - (transposed ? 1 : 2)];
  int64_t columns = b[b.size() - (transposed ? 2 : 1)];
  if (a.back() != depthB)
    return inferenceError(location,
                          "expected inner dimensions to agree, but "
                          "got ",
                          a.back(), " and ", depthB);
  FailureOr<SmallVector<int64_t>> shape =
      inferBroadcast(location, a.drop_back(2), b.drop_back(2));
  if (failed(shape) || failed(checkBias(location, adaptor.getBias(), columns)))
    return failure();
  shape->push_back(a[a.size() - 2]);
  shape->push_back(columns);
  types.push_back(RankedTensorType::get(*shape, Float32Type::get(context)));
  return success();
}

Value MatMulOp::getCrossbarInput() { return getA(); }
Value MatMulOp::getCrossbarWeights() { return getB(); }
Value MatMulOp::getCrossbarBias() { return getBias(); }

int64_t MatMulOp::getCrossbarChannelDim() {
  return getB().getType().getRank() - (getTransposeB() ? 2 : 1);
}

FailureOr<cim::WindowGeometry>
MatMulOp::getWindowGeometry(std::string &reason) {
  ArrayRef<int64_t> a = getA().getType().getShape();
  if (getB().getType().getRank() != 2) {
    reason = "its right operand is a batch of matrices";
    return failure();
  }
  WindowGeometry geometry;
  // Leading dimensions beyond the batch are windows of one image. A rank-2
  // operand is a batch of single windows.
  geometry.images = a[0];
  for (int64_t extent : a.drop_front().drop_back())
    geometry.inW *= extent;
  geometry.outW = geometry.inW;
  geometry.inC = a.back();
  geometry.outC = getType().getShape().back();
  return geometry;
}
