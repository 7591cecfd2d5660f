// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradients of pools.
#include "GradientRules.h"

using namespace mlir;
using namespace cim::nn;

template <typename Op> static Windows windowsOf(Op op) {
  size_t spatial = op.getKernel().size();
  return {SmallVector<int64_t>(shapeOf(op.getInput()).drop_front(2)),
          SmallVector<int64_t>(op.getKernel()),
          SmallVector<int64_t>(op.getStrides()),
          SmallVector<int64_t>(op.getDilations()),
          SmallVector<int64_t>(op.getPads().take_front(spatial))};
}

//===----------------------------------------------------------------------===//
// Maximum
//===----------------------------------------------------------------------===//

namespace {

/// A maximum over windows along one dimension, without padding.
struct Line {
  int64_t dim, kernel, stride, dilation;

  Value pool(Value input, Gradients &gradients) const {
    size_t spatial = shapeOf(input).size() - 2;
    SmallVector<int64_t> kernels(spatial, 1), strides(spatial, 1),
        dilations(spatial, 1), pads(2 * spatial, 0);
    kernels[dim - 2] = kernel;
    strides[dim - 2] = stride;
    dilations[dim - 2] = dilation;
    return gradients.make<MaxPoolOp>(input, kernels, strides, dilations, pads);
  }

  /// The elements of a window that equal its result share its gradient.
  Value differentiate(Value input, Value result, Value gradient,
                      Gradients &gradients) const {
    SmallVector<int64_t> starts(shapeOf(input).size(), 0),
        steps(shapeOf(input).size(), 1);
    steps[dim] = stride;
    SmallVector<Value> isEqual;
    Value count, sum;
    for (int64_t tap = 0; tap < kernel; ++tap) {
      starts[dim] = tap * dilation;
      Value elements = gradients.slice(input, starts, shapeOf(result), steps);
      isEqual.push_back(gradients.compare(Predicate::Equal, elements, result));
      Value one = gradients.keepWhere(isEqual.back(), gradients.scalar(1));
      count = count ? gradients.make<AddOp>(count, one) : one;
    }
    Value share = gradients.make<DivOp>(gradient, count);
    for (int64_t tap = 0; tap < kernel; ++tap) {
      starts[dim] = tap * dilation;
      Value placed = gradients.place(gradients.keepWhere(isEqual[tap], share),
                                     shapeOf(input), starts, steps);
      sum = sum ? gradients.make<AddOp>(sum, placed) : placed;
    }
    return sum;
  }
};

} // namespace

/// The input with everything in front and behind that a window reaches.
static Value padForWindows(Value input, ArrayRef<int64_t> results,
                           const Windows &windows, Gradients &gradients) {
  SmallVector<int64_t> begin(2, 0), end(2, 0);
  for (size_t i = 0; i < windows.kernel.size(); ++i) {
    int64_t reach = (results[i] - 1) * windows.strides[i] +
                    (windows.kernel[i] - 1) * windows.dilations[i] + 1;
    begin.push_back(windows.pads[i]);
    end.push_back(
        std::max<int64_t>(0, reach - windows.extents[i] - windows.pads[i]));
  }
  return gradients.pad(input, begin, end,
                       -std::numeric_limits<float>::infinity());
}

/// One dimension after the other: as many steps as a kernel has rows and
/// columns, not elements.
static void differentiateMaxPool(MaxPoolOp op, Value gradient,
                                 Gradients &gradients) {
  Windows windows = windowsOf(op);
  SmallVector<Line> lines;
  for (size_t i = 0; i < windows.kernel.size(); ++i)
    if (windows.kernel[i] > 1 || windows.strides[i] > 1)
      lines.push_back({static_cast<int64_t>(i) + 2, windows.kernel[i],
                       windows.strides[i], windows.dilations[i]});
  SmallVector<Value> stages{padForWindows(gradients.real(op.getInput()),
                                          shapeOf(op.getResult()).drop_front(2),
                                          windows, gradients)};
  for (const Line &line : lines)
    stages.push_back(line.pool(stages.back(), gradients));
  for (size_t i = lines.size(); i-- > 0;)
    gradient =
        lines[i].differentiate(stages[i], stages[i + 1], gradient, gradients);
  SmallVector<int64_t> starts(2, 0), steps(shapeOf(gradient).size(), 1);
  llvm::append_range(starts, windows.pads);
  gradients.add(op.getInput(), [&] {
    return gradients.slice(gradient, starts, shapeOf(op.getInput()), steps);
  });
}

//===----------------------------------------------------------------------===//
// Mean
//===----------------------------------------------------------------------===//

/// A sum over windows is as many times their mean.
static void differentiateAvgPool(AvgPoolOp op, Value gradient,
                                 Gradients &gradients) {
  Windows windows = windowsOf(op);
  size_t spatial = windows.kernel.size();
  for (size_t i = 0; i < spatial; ++i) {
    SmallVector<float> parts;
    // A window that lies in padding only has no element to divide for.
    for (int64_t count : op.countAlong(i))
      parts.push_back(static_cast<float>(windows.kernel[i]) /
                      static_cast<float>(std::max<int64_t>(count, 1)));
    SmallVector<int64_t> shape(spatial - i, 1);
    shape[0] = parts.size();
    gradient = gradients.make<MulOp>(
        gradient, gradients.constant(shape, parts, "gradient"));
  }
  SmallVector<int64_t> ones(spatial, 1), pads(2 * spatial, 0);
  gradients.add(op.getInput(), [&] {
    return gradients.make<AvgPoolOp>(spread(gradients, gradient, windows),
                                     windows.kernel, ones, windows.dilations,
                                     pads);
  });
}

void cim::nn::addPoolingRules(GradientRules &rules) {
  rules.add<MaxPoolOp>(differentiateMaxPool);
  rules.add<AvgPoolOp>(differentiateAvgPool);
}
