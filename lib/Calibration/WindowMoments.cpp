// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Second moments of what a layer reads, and of what it should make of it.
#include "WindowMoments.h"
#include "Session/HostMath.h"
#include "llvm/Support/Parallel.h"

using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace cim {

/// One window of group `group` of an image, in the order of the matrix's rows.
static void readWindow(const cim_layer &layer, const void *image, int64_t group,
                       int64_t window, float *to) {
  int64_t channels = layer.in_c / layer.groups;
  auto *map = static_cast<const uint8_t *>(image) + group * channels;
  int64_t top = window / layer.out_w * layer.stride_h - layer.pad_top;
  int64_t left = window % layer.out_w * layer.stride_w - layer.pad_left;
  for (int64_t kh = 0; kh < layer.kernel_h; ++kh)
    for (int64_t kw = 0; kw < layer.kernel_w; ++kw, to += channels) {
      int64_t h = top + kh * layer.dilation_h;
      int64_t w = left + kw * layer.dilation_w;
      if (h < 0 || h >= layer.in_h || w < 0 || w >= layer.in_w) {
        std::fill_n(to, channels, 0.0f);
        continue;
      }
      const uint8_t *from = map + (h * layer.in_w + w) * layer.in_c;
      for (int64_t c = 0; c < channels; ++c)
        to[c] = layer.in_type == CIM_U8 ? float(from[c])
                                        : float(static_cast<int8_t>(from[c]));
    }
}

namespace {

/// Windows that are multiplied at once: so few that binary32 holds their sums
/// of products of 8-bit integers exactly, whatever the order of additions.
constexpr int64_t chunkWindows = 256;
/// Rows of the products of inputs that are computed at once.
constexpr int64_t stripRows = 128;

using RowMajorFloats =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Sums over a part of the samples.
class MomentSums {
public:
  /// `weights` are in units of an input's integers.
  MomentSums(const cim_layer &layer, const cim_stream &stream, int64_t group,
             const LayerTargets &targets, const MatrixXd &weights)
      : layer(layer), stream(stream), group(group), targets(targets),
        weights(weights), rows(weights.rows()), columns(weights.cols()),
        parts(rows), cross(MatrixXd::Zero(rows, columns)),
        inputSum(VectorXd::Zero(rows)),
        targetSum(MatrixXd::Zero(parts.count, columns)),
        windows(RowMajorFloats::Zero(chunkWindows, rows)),
        wanted(RowMajorFloats::Zero(chunkWindows, columns)) {
    for (int64_t part = 0; part < parts.count; ++part)
      inputs.push_back(MatrixXd::Zero(parts.length(part), parts.length(part)));
  }

  /// All sampled windows of images number `begin` to `end` of the stream.
  void add(int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; ++image) {
      int64_t number = static_cast<int64_t>(stream.first_image) + image;
      for (int64_t i = 0; i < targets.sample.perSample; ++i) {
        readWindow(layer,
                   static_cast<const char *>(stream.input) +
                       image * layer.in_h * layer.in_w * layer.in_c,
                   group, targets.sample.place(number, i),
                   windows.data() + filled * rows);
        std::copy_n(targets.at(number, i) + group * columns, columns,
                    wanted.data() + filled * columns);
        if (++filled == chunkWindows)
          flush();
      }
    }
    flush();
  }

  void merge(const MomentSums &later) {
    count += later.count;
    for (int64_t part = 0; part < parts.count; ++part)
      inputs[part] += later.inputs[part];
    cross += later.cross;
    inputSum += later.inputSum;
    targetSum += later.targetSum;
  }

  LayerMoments centre(double inputScale) const {
    LayerMoments moments;
    if (count == 0)
      return moments;
    moments.count = count;
    moments.targets = cross;
    double square = inputScale * inputScale;
    for (int64_t part = 0; part < parts.count; ++part) {
      int64_t begin = parts.begin(part), size = parts.length(part);
      VectorXd sum = inputSum.segment(begin, size);
      MatrixXd whole = inputs[part].selfadjointView<Eigen::Lower>();
      moments.inputs.push_back((whole - sum * sum.transpose() / count) *
                               square);
      moments.powers.push_back(whole * square);
      moments.targets.middleRows(begin, size) -=
          sum * targetSum.row(part) / count;
    }
    moments.targets *= inputScale;
    return moments;
  }

private:
  void flush() {
    if (filled == 0)
      return;
    rt::SequentialOpenMP sequential;
    windows.bottomRows(chunkWindows - filled).setZero();
    wanted.bottomRows(chunkWindows - filled).setZero();
    std::vector<MatrixXd> results; // of every part
    for (int64_t part = 0; parts.count > 1 && part < parts.count; ++part)
      results.push_back(
          getPart(part).cast<double>() *
          weights.middleRows(parts.begin(part), parts.length(part)));
    // What no part makes of a channel, each makes up for its share of.
    MatrixXd rest = wanted.topRows(filled).cast<double>();
    for (const MatrixXd &result : results)
      rest -= result.topRows(filled);
    rest /= double(parts.count);
    for (int64_t part = 0; part < parts.count; ++part)
      addPart(part, getPart(part),
              parts.count > 1 ? MatrixXd(rest + results[part].topRows(filled))
                              : rest);
    count += static_cast<double>(filled);
    filled = 0;
  }

  RowMajorFloats getPart(int64_t part) const {
    return windows.middleCols(parts.begin(part), parts.length(part));
  }

  void addPart(int64_t part, const RowMajorFloats &read,
               const MatrixXd &results) {
    int64_t begin = parts.begin(part), size = parts.length(part);
    RowMajorFloats turned = read.transpose();
    for (int64_t top = 0; top < size; top += stripRows) {
      int64_t height = std::min(stripRows, size - top), width = top + height;
      RowMajorFloats products = RowMajorFloats::Zero(height, width);
      RowMajorFloats left = read.leftCols(width);
      rt::addMatmul(1, height, width, chunkWindows,
                    turned.data() + top * chunkWindows, left.data(),
                    products.data());
      inputs[part].block(top, 0, height, width) += products.cast<double>();
    }
    cross.middleRows(begin, size).noalias() +=
        turned.leftCols(filled).cast<double>() * results;
    inputSum.segment(begin, size) +=
        read.cast<double>().colwise().sum().transpose();
    targetSum.row(part) += results.colwise().sum();
  }

  const cim_layer &layer;
  const cim_stream &stream;
  int64_t group;
  const LayerTargets &targets;
  const MatrixXd &weights;
  int64_t rows, columns, filled = 0;
  RowParts parts;
  double count = 0;
  std::vector<MatrixXd> inputs; // of every part, on and below the diagonal
  MatrixXd cross;
  VectorXd inputSum;
  MatrixXd targetSum;     // parts x columns
  RowMajorFloats windows; // chunkWindows x rows
  RowMajorFloats wanted;  // chunkWindows x columns
};

} // namespace

/// How many images of `stream` have targets.
static int64_t countImages(const cim_stream &stream,
                           const LayerTargets &targets) {
  return std::clamp<int64_t>(targets.samples -
                                 static_cast<int64_t>(stream.first_image),
                             0, stream.image_count);
}

LayerMoments sumMoments(const cim_layer &layer, const cim_stream &stream,
                        int64_t group, double inputScale,
                        const LayerTargets &targets, const MatrixXd &weights) {
  fixOrderOfSums();
  // How many there are must not depend on the machine: sums are rounded.
  constexpr int64_t parts = 4;
  int64_t images = countImages(stream, targets);
  MatrixXd perInteger = weights * inputScale;
  std::vector<MomentSums> sums(
      parts, MomentSums(layer, stream, group, targets, perInteger));
  llvm::parallelFor(0, parts, [&](size_t part) {
    sums[part].add(images * part / parts, images * (part + 1) / parts);
  });
  for (int64_t part = 1; part < parts; ++part)
    sums[0].merge(sums[part]);
  return sums[0].centre(inputScale);
}

std::vector<double> meanInputPowers(const cim_layer &layer,
                                    llvm::ArrayRef<char> input) {
  int64_t size = int64_t(layer.in_h) * layer.in_w * layer.in_c;
  int64_t images = input.size() / size;
  int64_t windows = int64_t(layer.out_h) * layer.out_w;
  int64_t rows =
      int64_t(layer.in_c) / layer.groups * layer.kernel_h * layer.kernel_w;
  std::vector<double> powers(rows * layer.groups);
  std::vector<float> values(rows);
  for (int64_t group = 0; group < layer.groups; ++group)
    for (int64_t i = 0; i < images * windows; ++i) {
      readWindow(layer, input.data() + i / windows * size, group, i % windows,
                 values.data());
      for (int64_t k = 0; k < rows; ++k)
        powers[group * rows + k] += double(values[k]) * values[k];
    }
  for (double &power : powers)
    power /= double(images * windows);
  return powers;
}

void ChannelCorrelation::add(const cim_layer &layer, const cim_stream &stream,
                             const float *sums, const LayerTargets &targets) {
  Eigen::Index channels = layer.out_c;
  for (Eigen::ArrayXd *array :
       {&sum, &square, &targetSum, &targetSquare, &product})
    if (array->size() == 0)
      array->setZero(channels);
  int64_t windows = int64_t(layer.out_h) * layer.out_w;
  for (int64_t image = 0; image < countImages(stream, targets); ++image) {
    int64_t number = static_cast<int64_t>(stream.first_image) + image;
    for (int64_t i = 0; i < targets.sample.perSample; ++i) {
      int64_t window = image * windows + targets.sample.place(number, i);
      using Floats = Eigen::Map<const Eigen::ArrayXf>;
      Eigen::ArrayXd s =
          Floats(sums + window * channels, channels).cast<double>();
      Eigen::ArrayXd y = Floats(targets.at(number, i), channels).cast<double>();
      sum += s;
      square += s * s;
      targetSum += y;
      targetSquare += y * y;
      product += s * y;
      ++count;
    }
  }
}

std::vector<double> ChannelCorrelation::compute() const {
  std::vector<double> result(sum.size(), 0.0);
  for (Eigen::Index n = 0; n < sum.size(); ++n) {
    double variance = square[n] - sum[n] * sum[n] / count;
    double wanted = targetSquare[n] - targetSum[n] * targetSum[n] / count;
    double both = product[n] - sum[n] * targetSum[n] / count;
    if (variance > 0 && wanted > 0)
      result[n] = std::clamp(both / std::sqrt(variance * wanted), 0.0, 1.0);
  }
  return result;
}

double ChannelCorrelation::getExplained() const {
  double explained = 0;
  std::vector<double> correlation = compute();
  for (Eigen::Index n = 0; n < sum.size(); ++n)
    explained += correlation[n] * correlation[n] *
                 (targetSquare[n] - targetSum[n] * targetSum[n] / count) /
                 count;
  return explained;
}

} // namespace cim
