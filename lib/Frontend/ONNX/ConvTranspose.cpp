// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ConvTranspose as a convolution that computes every stride x stride block of
// results from the same operands: no product with a stuffed-in zero.
//
// Along one dimension the result before cropping is
//   y[q * s + r] = sum over t of x[q - t] * w[t * s + r],
// which for each r in [0, s) is a convolution with flipped taps t.
#include "Compose.h"
#include "Convolution.h"

using namespace mlir;

namespace cim::onnx {

/// Results of a block are channels of the convolution.
static constexpr int64_t kMaxBlock = 1 << 16;

/// Larger extents would overflow what is computed from them.
static constexpr int64_t kMaxExtent = int64_t(1) << 31;

namespace {
/// One spatial dimension of a transposed convolution.
struct Axis {
  int64_t extent, taps, stride, dilation; ///< as the node says
  int64_t crop = 0, result = 0; ///< results before the first, and how many
  /// Taps and dilation of the convolution.
  int64_t blockTaps, blockDilation;

  Axis(int64_t extent, int64_t taps, int64_t stride, int64_t dilation)
      : extent(extent), taps(taps), stride(stride), dilation(dilation) {
    // Dilated taps fall onto the results of a block as they come.
    blockTaps = stride == 1 ? taps : llvm::divideCeil(reach(), stride);
    blockDilation = stride == 1 ? dilation : 1;
  }

  /// Results that one element contributes to.
  int64_t reach() const { return (taps - 1) * dilation + 1; }
  /// Results before cropping.
  int64_t full() const { return (extent - 1) * stride + reach(); }
  int64_t padBegin() const {
    return std::max<int64_t>(0,
                             (blockTaps - 1) * blockDilation - crop / stride);
  }
  int64_t padEnd() const {
    return std::max<int64_t>(0, (crop + result - 1) / stride + 1 - extent);
  }
  /// Results that the convolution computes before the first one wanted.
  int64_t surplus() const {
    return crop - ((blockTaps - 1) * blockDilation - padBegin()) * stride;
  }
};
} // namespace

/// Reads output_padding, output_shape and auto_pad, which say which part of the
/// full result is wanted.
static void readCrop(NodeBinder &b, const Window &window,
                     MutableArrayRef<Axis> axes) {
  size_t count = axes.size();
  SmallVector<int64_t> extra =
      b.getInts("output_padding").value_or(SmallVector<int64_t>(count, 0));
  std::optional<SmallVector<int64_t>> shape = b.getInts("output_shape");
  StringRef mode = b.getString("auto_pad", "NOTSET");
  auto isExtent = [](int64_t size) { return size >= 1 && size <= kMaxExtent; };
  if (extra.size() != count || (shape && shape->size() != count))
    b.error() << "expected " << count
              << " entries in 'output_padding' and 'output_shape'";
  else if (shape && !llvm::all_of(*shape, isExtent))
    b.error() << "expected a positive 'output_shape', but got "
              << shapeText(*shape);
  for (size_t i = 0; i < count && !b.failed(); ++i) {
    Axis &axis = axes[i];
    if (extra[i] < 0 || extra[i] >= std::max(axis.stride, axis.dilation)) {
      b.error() << "expected 'output_padding' of at least 0 and below stride "
                   "or dilation, but got "
                << extra[i];
      return;
    }
    int64_t end = window.pads[count + i];
    axis.crop = window.pads[i];
    bool isSame = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    if (shape || isSame) {
      int64_t wanted = shape ? (*shape)[i] : axis.extent * axis.stride;
      int64_t total = std::max<int64_t>(0, axis.full() + extra[i] - wanted);
      axis.crop = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      end = axis.full() + extra[i] - axis.crop - wanted;
    }
    axis.result = axis.full() + extra[i] - axis.crop - end;
    if (axis.result < 1)
      b.error() << "expected pads that leave some of " << axis.full()
                << " results, but got " << axis.crop << " and " << end;
  }
}

/// The weights C x M/groups x kernel as those of the convolution, M * block x
/// C/groups x block taps.
static Value blockWeights(NodeBinder &b, Value weights, ArrayRef<Axis> axes,
                          int64_t groups) {
  size_t count = axes.size();
  for (size_t i = 0; i < count && !b.failed(); ++i) {
    const Axis &axis = axes[i];
    int64_t dim = 2 + i;
    if (axis.stride == 1)
      continue;
    if (axis.dilation > 1) { // dilate by zeros
      SmallVector<int64_t> shape = shapeOf(weights);
      shape.insert(shape.begin() + dim + 1, 1);
      weights = padAlong(b, b.createReshape(weights, shape), dim + 1, 0,
                         axis.dilation - 1);
      shape.erase(shape.begin() + dim + 1);
      shape[dim] *= axis.dilation;
      weights =
          sliceAlong(b, b.createReshape(weights, shape), dim, 0, axis.reach());
    }
    weights = padAlong(b, weights, dim, 0,
                       axis.blockTaps * axis.stride - axis.reach());
  }
  if (b.failed())
    return {};
  // groups x C/groups x M/groups x (taps, block) of each dimension
  SmallVector<int64_t> shape = shapeOf(weights);
  int64_t channels = shape[0] / groups, features = shape[1];
  SmallVector<int64_t> split{groups, channels, features}, result;
  SmallVector<int64_t> permutation{0, 2}, taps{1};
  result = {groups * features, channels};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    split.append({axis.blockTaps, axis.stride});
    permutation.push_back(4 + 2 * i);
    taps.push_back(3 + 2 * i);
    result[0] *= axis.stride;
    result.push_back(axis.blockTaps);
  }
  llvm::append_range(permutation, taps);
  weights = b.createReshape(weights, split);
  SmallVector<int64_t> starts(split.size(), 0), steps(split.size(), 1);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    starts[3 + 2 * i] = axis.blockTaps - 1;
    steps[3 + 2 * i] = -1;
  }
  weights = slice(b, weights, starts, split, steps);
  return b.createReshape(permute(b, weights, permutation), result);
}

/// The bias of each of the `block` results that a channel has.
static Value blockBias(NodeBinder &b, Value bias, int64_t block) {
  if (!bias || block == 1 || b.failed())
    return bias;
  int64_t channels = shapeOf(bias)[0];
  Value zeros = b.createConstant(
      fromDoubles(DataType::Float, {1, block}, SmallVector<double>(block, 0)));
  Value all = b.create<nn::AddOp>(b.createReshape(bias, {channels, 1}), zeros);
  return b.createReshape(all, {channels * block});
}

/// Cuts what is wanted out of the blocks.
static Value cropBlocks(NodeBinder &b, Value blocks, ArrayRef<Axis> axes,
                        int64_t block) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(blocks);
  int64_t channels = shape[1] / block;
  SmallVector<int64_t> split{shape[0], channels}, sizes = split, starts{0, 0};
  for (const Axis &axis : axes) {
    split.push_back(axis.stride);
    starts.push_back(axis.surplus());
    sizes.push_back(axis.result);
  }
  split.append(shape.begin() + 2, shape.end());
  if (block > 1)
    blocks = blocksToSpace(b, b.createReshape(blocks, split));
  return slice(b, blocks, starts, sizes, SmallVector<int64_t>(sizes.size(), 1));
}

static LogicalResult checkChannels(NodeBinder &b, int64_t groups) {
  SmallVector<int64_t> input = b.shape(0), weights = b.shape(1);
  if (b.failed())
    return failure();
  if (weights[0] != input[1] || groups < 1 || groups > input[1] ||
      input[1] % groups != 0)
    return b.error() << "expected weights for " << input[1]
                     << " input channels in groups of one size, but got "
                     << weights[0] << " in " << groups << " groups";
  if (!b.hasInput(2) || b.shape(2) == SmallVector<int64_t>{weights[1] * groups})
    return success();
  return b.error() << "expected a bias of " << weights[1] * groups
                   << " values, but got " << shapeText(b.shape(2));
}

/// The spatial dimensions of the node; none after an error.
static SmallVector<Axis> readAxes(NodeBinder &b) {
  SmallVector<int64_t> spatial = spatialExtents(b, 0, 3, 5);
  SmallVector<int64_t> kernel = spatialExtents(b, 1, 3, 5);
  b.ignore({"kernel_shape"}); // the weights have it
  Window window = readWindow(b, spatial, kernel);
  if (b.failed())
    return {};
  SmallVector<Axis> axes;
  for (auto [extent, taps, stride, dilation] :
       llvm::zip_equal(spatial, kernel, window.strides, window.dilations)) {
    if (std::min(extent, taps) < 1 || std::max(extent, taps) > kMaxExtent)
      b.error() << "expected extents and kernel of 1 to " << kMaxExtent
                << ", but got " << extent << " and " << taps;
    axes.emplace_back(extent, taps, stride, dilation);
  }
  readCrop(b, window, axes);
  return b.failed() ? SmallVector<Axis>() : axes;
}

/// Results in a block; 0 after an error.
static int64_t blockSize(NodeBinder &b, ArrayRef<Axis> axes) {
  int64_t block = 1;
  for (const Axis &axis : axes)
    block *= std::min(axis.stride, 2 * kMaxBlock);
  if (block <= kMaxBlock)
    return b.failed() ? 0 : block;
  b.error() << "expected strides with a product of at most " << kMaxBlock
            << ", but got one of " << block << " or more";
  return 0;
}

static LogicalResult importConvTranspose(NodeBinder &b) {
  int64_t groups = b.getInt("group", 1);
  SmallVector<Axis> axes = readAxes(b);
  int64_t block = blockSize(b, axes);
  if (b.failed() || failed(checkChannels(b, groups)))
    return failure();
  Window inner;
  for (const Axis &axis : axes) {
    inner.kernel.push_back(axis.blockTaps);
    inner.strides.push_back(1);
    inner.dilations.push_back(axis.blockDilation);
    inner.pads.push_back(axis.padBegin());
  }
  for (const Axis &axis : axes)
    inner.pads.push_back(axis.padEnd());
  Value input = b.floatInput(0);
  Value weights = blockWeights(b, b.floatInput(1), axes, groups);
  Value bias = blockBias(b, b.optionalFloatInput(2), block);
  Value blocks = createConvolution(b, input, weights, bias, inner, groups);
  return b.result(cropBlocks(b, blocks, axes, block));
}

void registerConvTranspose(HandlerTable &table) {
  table.add("ConvTranspose",
            {Place::Crossbar, "one to three spatial dimensions; groups, "
                              "dilations, output_padding, output_shape, any "
                              "pads, every auto_pad"},
            {{1, importConvTranspose}});
}

} // namespace cim::onnx
