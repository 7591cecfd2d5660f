// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// DFT as a product with a constant matrix, STFT as a convolution with it, and
// the constants of spectra: windows and mel filters.
#include "Compose.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

static constexpr double kPi = 3.14159265358979323846;

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

namespace {
/// A transform of `inputs` numbers of `inputParts` parts (1: real, 2: complex)
/// to `outputs` numbers of `outputParts` parts.
struct Transform {
  int64_t length, inputs, inputParts, outputs, outputParts;
  bool isInverse = false, isOneSided = false;

  /// What part `from` of input `n` adds to part `to` of output `k`.
  double coefficient(int64_t n, int64_t from, int64_t k, int64_t to) const {
    bool isHalf = isInverse && isOneSided;
    if (n >= (isHalf ? length / 2 + 1 : length))
      return 0;
    // Reduced, so that large products keep their digits.
    double angle = 2 * kPi * double(n * k % length) / double(length);
    double cosine = std::cos(angle), sine = std::sin(angle);
    // (re + i im) (cos -+ i sin)
    double sign = isInverse ? 1 : -1;
    double value = from == to ? cosine : to == 0 ? -sign * sine : sign * sine;
    if (isInverse)
      value /= double(length);
    // The half that is not stored is the conjugate of the one that is.
    bool isPaired = n != 0 && 2 * n != length;
    return isHalf && isPaired ? 2 * value : value;
  }

  /// Rows are inputs, columns are outputs; parts lie side by side.
  Value matrix(NodeBinder &b) const {
    int64_t rows = inputs * inputParts, columns = outputs * outputParts;
    if (b.failed() || failed(b.reserve({rows, columns}, sizeof(float))))
      return {};
    Tensor tensor;
    tensor.type = DataType::Float;
    tensor.dims = {rows, columns};
    tensor.bytes.reserve(rows * columns * sizeof(float));
    for (int64_t n = 0; n < inputs; ++n)
      for (int64_t from = 0; from < inputParts; ++from)
        for (int64_t k = 0; k < outputs; ++k)
          for (int64_t to = 0; to < outputParts; ++to) {
            auto value = static_cast<float>(coefficient(n, from, k, to));
            tensor.bytes.append(reinterpret_cast<const char *>(&value),
                                sizeof(value));
          }
    return b.createConstant(std::move(tensor));
  }
};
} // namespace

/// Refuses transforms whose matrix is no constant to keep.
static LogicalResult checkLength(NodeBinder &b, int64_t length) {
  constexpr int64_t longest = 4096;
  if (length >= 1 && length <= longest)
    return success();
  return b.error() << "expected a transform of 1 to " << longest
                   << " numbers, but got " << length;
}

static LogicalResult checkParts(NodeBinder &b, ArrayRef<int64_t> shape) {
  if (shape.size() >= 2 && (shape.back() == 1 || shape.back() == 2))
    return success();
  return b.error() << "expected an operand whose last dimension is 1 (real) or "
                      "2 (complex), but got "
                   << shapeText(shape);
}

/// Dimension `axis` and the parts, which are last, become one dimension.
static Value transformAlong(NodeBinder &b, Value x, int64_t axis,
                            const Transform &transform) {
  SmallVector<int64_t> order, shape(shapeOf(x));
  for (int64_t dim = 0; dim < int64_t(shape.size()) - 1; ++dim)
    if (dim != axis)
      order.push_back(dim);
  SmallVector<int64_t> outer =
      llvm::map_to_vector(order, [&](int64_t dim) { return shape[dim]; });
  order.push_back(axis);
  order.push_back(shape.size() - 1);
  Value rows = b.createReshape(
      permute(b, x, order),
      {llvm::product_of(outer), transform.inputs * transform.inputParts});
  Value product =
      b.create<nn::MatMulOp>(rows, transform.matrix(b), Value(), false);
  outer.push_back(transform.outputs);
  outer.push_back(transform.outputParts);
  SmallVector<int64_t> back(order.size());
  for (auto [position, dim] : llvm::enumerate(order))
    back[dim] = position;
  return permute(b, b.createReshape(product, outer), back);
}

static LogicalResult importDFT(NodeBinder &b, int64_t givenAxis) {
  bool isInverse = b.getBool("inverse", false),
       isOneSided = b.getBool("onesided", false);
  Value x = b.floatInput(0);
  if (b.failed() || failed(checkParts(b, shapeOf(x))))
    return failure();
  SmallVector<int64_t> shape = shapeOf(x);
  int64_t axis = b.normalizeAxis(givenAxis, shape.size());
  if (b.failed())
    return failure();
  if (axis == int64_t(shape.size()) - 1)
    return b.error() << "expected an axis of the signal, but got that of its "
                        "parts, "
                     << givenAxis;
  bool isHalf = isInverse && isOneSided;
  int64_t length = isHalf ? 2 * (shape[axis] - 1) : shape[axis];
  if (b.hasInput(1))
    length = b.constantInt(1, "dft_length");
  if (b.failed() || failed(checkLength(b, length)) ||
      failed(checkLength(b, shape[axis])))
    return failure();
  Transform transform{length, shape[axis], shape.back(), length,
                      2,      isInverse,   isOneSided};
  if (isHalf)
    transform.outputParts = 1;
  else if (isOneSided)
    transform.outputs = length / 2 + 1;
  return b.result(transformAlong(b, x, axis, transform));
}

static LogicalResult importDFTAttribute(NodeBinder &b) {
  return importDFT(b, b.getInt("axis", 1));
}

static LogicalResult importDFTOperand(NodeBinder &b) {
  return importDFT(b, b.hasInput(2) ? b.constantInt(2, "axis") : -2);
}

/// The transform's matrix as the weights of a convolution: outputs and their
/// parts x parts of the input x inputs.
static Value kernels(NodeBinder &b, const Transform &transform, Value window) {
  Value matrix = b.createReshape(transform.matrix(b),
                                 {transform.inputs, transform.inputParts,
                                  transform.outputs * transform.outputParts});
  Value weights = permute(b, matrix, {2, 1, 0});
  return window ? b.create<nn::MulOp>(weights, window) : weights;
}

static LogicalResult importSTFT(NodeBinder &b) {
  enum Input { Signal, FrameStep, WindowInput, FrameLength };
  bool isOneSided = b.getBool("onesided", true);
  int64_t step = b.constantInt(FrameStep, "frame_step");
  Value x = b.floatInput(Signal), window = b.optionalFloatInput(WindowInput);
  if (b.failed() || failed(checkParts(b, shapeOf(x))))
    return failure();
  if (shapeOf(x).size() != 3)
    return b.error() << "expected a signal of rank 3, but got "
                     << shapeText(shapeOf(x));
  int64_t signalLength = shapeOf(x)[1], parts = shapeOf(x)[2];
  int64_t length = signalLength;
  if (b.hasInput(FrameLength))
    length = b.constantInt(FrameLength, "frame_length");
  else if (window)
    length = llvm::product_of(shapeOf(window));
  if (b.failed() || failed(checkLength(b, length)))
    return failure();
  if (step < 1 || length > signalLength)
    return b.error() << "expected frames of at most " << signalLength
                     << " numbers in steps of at least 1, but got " << length
                     << " and " << step;
  if (window && shapeOf(window) != SmallVector<int64_t>{length})
    return b.error() << "expected a window of shape " << length << ", but got "
                     << shapeText(shapeOf(window));
  Transform transform{length, length, parts, length, 2};
  if (isOneSided)
    transform.outputs = length / 2 + 1;
  Value channels = permute(b, x, {0, 2, 1});
  Value bins = b.create<nn::ConvOp>(
      channels, kernels(b, transform, window), Value(), ArrayRef<int64_t>{step},
      ArrayRef<int64_t>{1}, ArrayRef<int64_t>{0, 0}, int64_t(1));
  if (b.failed())
    return failure();
  SmallVector<int64_t> shape = shapeOf(bins);
  Value frames = permute(b, bins, {0, 2, 1});
  return b.result(b.createReshape(
      frames, {shape[0], shape[2], transform.outputs, transform.outputParts}));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Values in the type that the node asks for; by default float.
static LogicalResult resultOfType(NodeBinder &b, ArrayRef<int64_t> dims,
                                  ArrayRef<double> values) {
  auto type = static_cast<DataType>(
      b.getInt("output_datatype", static_cast<int64_t>(DataType::Float)));
  if (b.failed())
    return failure();
  if (isFloat(type))
    return b.result(fromDoubles(type, dims, values));
  if (isInteger(type))
    return b.result(
        fromInts(type, dims, llvm::map_to_vector(values, [](double value) {
                   return static_cast<int64_t>(value);
                 })));
  return b.error() << "expected 'output_datatype' to be one of numbers, but "
                      "got "
                   << typeName(type);
}

namespace {
/// a - b cos(x) + c cos(2 x), x from 0 to 2 pi.
struct Cosines {
  double a, b, c;
};
} // namespace
static constexpr Cosines kHann{0.5, 0.5, 0},
    kHamming{25.0 / 46, 1 - 25.0 / 46, 0}, kBlackman{0.42, 0.5, 0.08};

template <const Cosines &kCosines>
static LogicalResult importWindow(NodeBinder &b) {
  bool isPeriodic = b.getBool("periodic", true);
  int64_t size = b.constantInt(0, "size");
  if (b.failed() || failed(b.reserve(size)))
    return failure();
  SmallVector<double> values;
  double period = double(isPeriodic ? size : size - 1);
  for (int64_t i = 0; i < size; ++i) {
    double x = 2 * kPi * double(i) / period;
    values.push_back(kCosines.a - kCosines.b * std::cos(x) +
                     kCosines.c * std::cos(2 * x));
  }
  return resultOfType(b, size, values);
}

/// Triangles between neighbours of `count` + 2 frequencies that are evenly
/// spaced on the mel scale.
static SmallVector<double> melFilters(int64_t length, double rate, double low,
                                      double high, int64_t count) {
  int64_t bins = length / 2 + 1;
  auto toMel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  double first = toMel(low), step = (toMel(high) - first) / double(count + 2);
  auto binOf = [&](int64_t i) {
    double hertz = 700 * (std::pow(10, (first + double(i) * step) / 2595) - 1);
    double bin = std::floor(double(length + 1) * hertz / rate);
    return std::isfinite(bin) ? int64_t(std::clamp(bin, 0.0, double(bins - 1)))
                              : 0;
  };
  SmallVector<double> values(bins * count, 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t left = binOf(i), centre = binOf(i + 1), right = binOf(i + 2);
    auto at = [&](int64_t bin) -> double & { return values[bin * count + i]; };
    for (int64_t bin = left; bin < centre; ++bin)
      at(bin) = double(bin - left) / double(centre - left);
    at(centre) = 1;
    for (int64_t bin = centre; bin < right; ++bin)
      at(bin) = double(right - bin) / double(right - centre);
  }
  return values;
}

static LogicalResult importMelWeightMatrix(NodeBinder &b) {
  int64_t count = b.constantInt(0, "num_mel_bins"),
          length = b.constantInt(1, "dft_length"),
          rate = b.constantInt(2, "sample_rate");
  double low = b.constantNumber(3, "lower_edge_hertz"),
         high = b.constantNumber(4, "upper_edge_hertz");
  if (b.failed())
    return failure();
  if (length < 1 || rate < 1)
    return b.error() << "expected a positive length and sample rate, but got "
                     << length << " and " << rate;
  int64_t bins = length / 2 + 1;
  if (failed(b.reserve({bins, count})))
    return failure();
  return resultOfType(b, {bins, count},
                      melFilters(length, double(rate), low, high, count));
}

void registerFourier(HandlerTable &table) {
  const OpSummary transform{Place::Crossbar,
                            "constant lengths, up to 2048 real numbers; "
                            "constant window"};
  table.add("DFT",
            {Place::Crossbar, "constant length, up to 2048 real numbers"},
            {{17, importDFTAttribute}, {20, importDFTOperand}});
  table.add("STFT", transform, {{17, importSTFT}});
  const OpSummary constant{Place::Folded, "constant size"};
  table.add("HannWindow", constant, {{17, importWindow<kHann>}});
  table.add("HammingWindow", constant, {{17, importWindow<kHamming>}});
  table.add("BlackmanWindow", constant, {{17, importWindow<kBlackman>}});
  table.add("MelWeightMatrix", {Place::Folded, "constant operands"},
            {{17, importMelWeightMatrix}});
}

} // namespace cim::onnx
