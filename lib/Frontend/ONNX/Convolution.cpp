// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conv.
#include "Convolution.h"
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

/// Each tap along depth is an op of its own.
static constexpr int64_t kMaxDepthTaps = 1024;

/// The operand with one image for each position of the window along depth; its
/// channels are those of the operand times the taps along depth.
static Value unfoldDepth(NodeBinder &b, Value input, const Window &window) {
  input = padAlong(b, input, 2, window.pads[0], window.pads[3]);
  if (b.failed())
    return {};
  int64_t taps = window.kernel[0], stride = window.strides[0],
          dilation = window.dilations[0], extent = shapeOf(input)[2];
  int64_t room = extent - ((taps - 1) * dilation + 1);
  if (taps < 1 || taps > kMaxDepthTaps || room < 0) {
    b.error() << "expected a kernel of 1 to " << kMaxDepthTaps
              << " along depth that fits into " << extent << ", but got "
              << taps << " with dilation " << dilation;
    return {};
  }
  SmallVector<Value> slices;
  for (int64_t tap = 0; tap < taps; ++tap) {
    Value slice =
        sliceAlong(b, input, 2, tap * dilation, room / stride + 1, stride);
    slices.push_back(permute(b, slice, {0, 2, 1, 3, 4}));
  }
  Value all = stack(b, slices, 3);
  if (b.failed())
    return {};
  SmallVector<int64_t> s = shapeOf(all);
  return b.createReshape(all, {s[0] * s[1], s[2] * s[3], s[4], s[5]});
}

/// Taps along depth become channels, positions along depth images.
static Value createConvolution3D(NodeBinder &b, Value input, Value weights,
                                 Value bias, const Window &window,
                                 int64_t groups) {
  SmallVector<int64_t> in = shapeOf(input), w = shapeOf(weights);
  if (groups < 1 || in[1] % groups != 0 || in[1] / groups != w[1]) {
    b.error() << "expected weights for the " << in[1]
              << " input channels, but got " << w[1] << " in each of " << groups
              << " groups";
    return {};
  }
  Value images = unfoldDepth(b, input, window);
  weights = b.createReshape(weights, {w[0], w[1] * w[2], w[3], w[4]});
  auto plane = [](ArrayRef<int64_t> list) { return list.drop_front(); };
  SmallVector<int64_t> pads{window.pads[1], window.pads[2], window.pads[4],
                            window.pads[5]};
  Value planes =
      b.create<nn::ConvOp>(images, weights, bias, plane(window.strides),
                           plane(window.dilations), pads, groups);
  if (b.failed())
    return {};
  SmallVector<int64_t> out = shapeOf(planes);
  int64_t depth = out[0] / std::max<int64_t>(in[0], 1);
  planes = b.createReshape(planes, {in[0], depth, out[1], out[2], out[3]});
  return permute(b, planes, {0, 2, 1, 3, 4});
}

Value createConvolution(NodeBinder &b, Value input, Value weights, Value bias,
                        const Window &window, int64_t groups) {
  if (b.failed())
    return {};
  if (window.kernel.size() == 3)
    return createConvolution3D(b, input, weights, bias, window, groups);
  return b.create<nn::ConvOp>(input, weights, bias, window.strides,
                              window.dilations, window.pads, groups);
}

Value convolveOperands(NodeBinder &b, size_t inputIndex, size_t weightIndex,
                       Value input, Value weights, Value bias) {
  SmallVector<int64_t> spatial = spatialExtents(b, inputIndex, 3, 5);
  SmallVector<int64_t> kernel = spatialExtents(b, weightIndex, 3, 5);
  std::optional<SmallVector<int64_t>> declared = b.getInts("kernel_shape");
  int64_t groups = b.getInt("group", 1);
  if (declared && *declared != kernel)
    b.error() << "expected 'kernel_shape' to be the weights' "
              << shapeText(kernel) << ", but got " << shapeText(*declared);
  Window window = readWindow(b, spatial, kernel);
  return createConvolution(b, input, weights, bias, window, groups);
}

static LogicalResult importConv(NodeBinder &b) {
  Value input = b.floatInput(0), weights = b.floatInput(1),
        bias = b.optionalFloatInput(2);
  return b.result(convolveOperands(b, 0, 1, input, weights, bias));
}

void registerConvolution(HandlerTable &table) {
  table.add("Conv",
            {Place::Crossbar,
             "one to three spatial dimensions; groups, dilations, any pads, "
             "every auto_pad; three dimensions run digitally unless the "
             "kernel is as deep as the input"},
            {{1, importConv}});
}

} // namespace cim::onnx
