// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A layer on simulated chips: its sums, and what its converters see.
#include "SimulatedLayer.h"
#include "Session/DeviceLibrary.h"
#include "WindowMoments.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cmath>
#include <cstring>

using llvm::ArrayRef;

namespace cim {

/// Windows that the gain of a plane is chosen by.
static constexpr uint64_t gainWindows = 8192;

/// What an error in a logit counts where its class is certain.
static constexpr double certain = 0.1;

static thread_local std::string lastError;

cim_status fail(cim_status status, std::string text) {
  lastError = std::move(text);
  return status;
}

const char *getLastError() { return lastError.c_str(); }

Chips::Chips() : simulator(*rt::simulatorApi()) {}

Chips::~Chips() {
  for (cim_device *chip : {ideal, exact})
    if (chip)
      simulator.destroy(chip);
}

cim_status Chips::create(cim_device_config config) {
  for (auto [mode, chip] : {std::pair("ideal", &ideal), {"exact", &exact}}) {
    config.mode = mode;
    if (cim_status status = simulator.create(&config, chip))
      return fail(status, simulator.last_error());
  }
  return CIM_OK;
}

cim_status Chips::program(uint32_t array, uint32_t rows, uint32_t columns,
                          const int8_t *cells) {
  for (cim_device *chip : {ideal, exact})
    if (cim_status status =
            simulator.program(chip, array, rows, columns, cells))
      return fail(status, simulator.last_error());
  arrays[array] = {rows, columns, {cells, cells + uint64_t(rows) * columns}};
  return CIM_OK;
}

void SimulatedLayer::moveTo(Chips &chips, ArrayRef<float> significance) {
  this->chips = &chips;
  this->significance = significance.data();
}

cim_status SimulatedLayer::computeSums(ArrayRef<float> gains,
                                       std::vector<float> &sums) {
  std::vector<cim_block> blocks(layer.blocks, layer.blocks + layer.block_count);
  for (cim_block &block : blocks)
    block.gain = gains[block.plane];
  return streamThrough(chips->exact, blocks, significance, layer.plane_count,
                       stream.input, stream.image_count, sums);
}

cim_status SimulatedLayer::observePlanes(GainMethod method,
                                         const Epilogue &epilogue,
                                         std::vector<PlaneSums> &planes) {
  std::vector<char> sample = sampleImages();
  bool isNoise = method == GainMethod::Noise;
  bool isLogits =
      epilogue.makesLogits && (isNoise || method == GainMethod::MSE);
  std::vector<double> powers;
  if (isNoise)
    powers = meanInputPowers(layer, sample);
  std::vector<float> importance;
  if (isLogits)
    if (cim_status status = weighLogits(sample, epilogue, importance))
      return status;
  planes.resize(layer.plane_count);
  for (uint32_t plane = 0; plane < layer.plane_count; ++plane) {
    std::vector<double> weights(layer.out_c, 1.0);
    if (isNoise || isLogits)
      weights = weighColumns(plane, epilogue.scales);
    for (const Bundle &bundle : bundleBlocks(plane)) {
      std::vector<float> values;
      if (cim_status status =
              streamThrough(chips->ideal, bundle.blocks, ones.data(), 1,
                            sample.data(), sample.size() / inputSize, values))
        return status;
      count(values, bundle.covered, weights, importance, planes[plane]);
    }
    if (isNoise)
      addPowers(plane, powers, weights, planes[plane]);
  }
  return CIM_OK;
}

std::vector<SimulatedLayer::Bundle>
SimulatedLayer::bundleBlocks(uint32_t plane) const {
  std::vector<Bundle> bundles;
  for (uint32_t i = 0; i < layer.block_count; ++i) {
    cim_block block = layer.blocks[i];
    if (block.plane != plane)
      continue;
    block.plane = 0;
    auto isFree = [&](const Bundle &bundle) {
      auto begin = bundle.covered.begin() + block.n;
      return std::find(begin, begin + block.n_count, true) ==
             begin + block.n_count;
    };
    auto bundle = llvm::find_if(bundles, isFree);
    if (bundle == bundles.end())
      bundle = bundles.insert(
          bundle, Bundle{{}, std::vector<bool>(layer.out_c, false)});
    bundle->blocks.push_back(block);
    std::fill_n(bundle->covered.begin() + block.n, block.n_count, true);
  }
  return bundles;
}

/// What the square of an error in a sum of every column does to the result,
/// relative to the mean.
std::vector<double>
SimulatedLayer::weighColumns(uint32_t plane, ArrayRef<double> scales) const {
  std::vector<double> weights(layer.out_c);
  double total = 0;
  for (uint32_t n = 0; n < layer.out_c; ++n) {
    double factor = scales[n] * significance[plane * layer.out_c + n];
    weights[n] = factor * factor;
    total += weights[n];
  }
  for (double &weight : weights)
    weight = total > 0 ? weight * layer.out_c / total : 1;
  return weights;
}

/// Adds sum_k powers[k] t_k^2 of every column of the plane.
void SimulatedLayer::addPowers(uint32_t plane, ArrayRef<double> powers,
                               ArrayRef<double> weights,
                               PlaneSums &sums) const {
  for (const cim_block &block : ArrayRef(layer.blocks, layer.block_count)) {
    if (block.plane != plane)
      continue;
    const ArrayImage &image = chips->arrays[block.array];
    for (uint32_t n = 0; n < block.n_count; ++n) {
      double power = 0;
      for (uint32_t row = 0; row < block.k_count * block.repeat; ++row) {
        double cell = image.cells[uint64_t(block.row + row) * image.columns +
                                  block.column + n];
        power += powers[block.k + row / block.repeat] * cell * cell;
      }
      sums.power += weights[block.n + n] * power;
      sums.weight += weights[block.n + n];
    }
  }
}

/// Some of the images, evenly spread.
std::vector<char> SimulatedLayer::sampleImages() const {
  uint64_t count = std::clamp<uint64_t>(gainWindows / windows, 4,
                                        std::max(stream.image_count, 4u));
  count = std::min<uint64_t>(count, stream.image_count);
  std::vector<char> images(count * inputSize);
  for (uint64_t i = 0; i < count; ++i)
    memcpy(images.data() + i * inputSize,
           static_cast<const char *>(stream.input) +
               i * stream.image_count / count * inputSize,
           inputSize);
  return images;
}

/// What the square of an error in y counts in every window of the images
/// `sample`: half of it, times p (1 - p), is what the cross entropy of p =
/// softmax(y) grows by. Large errors matter where p is next to 1, too. The mean
/// is 1.
cim_status SimulatedLayer::weighLogits(ArrayRef<char> sample,
                                       const Epilogue &epilogue,
                                       std::vector<float> &importance) const {
  std::vector<float> sums;
  if (cim_status status = streamThrough(
          chips->ideal, ArrayRef(layer.blocks, layer.block_count), significance,
          layer.plane_count, sample.data(), sample.size() / inputSize, sums))
    return status;
  std::vector<double> row(layer.out_c);
  double all = 0;
  for (size_t i = 0; i < sums.size(); i += layer.out_c) {
    for (uint32_t n = 0; n < layer.out_c; ++n)
      row[n] = sums[i + n] * epilogue.scales[n] + epilogue.biases[n];
    double most = *std::max_element(row.begin(), row.end()), total = 0;
    for (double &y : row)
      total += y = std::exp(y - most);
    for (double y : row) {
      double p = y / total, counts = p * (1 + certain - p);
      importance.push_back(static_cast<float>(counts));
      all += counts;
    }
  }
  auto toMean = static_cast<float>(double(importance.size()) / all);
  for (float &counts : importance)
    counts *= toMean;
  return CIM_OK;
}

/// `importance` is empty where all `values` of a column count equally.
void SimulatedLayer::count(ArrayRef<float> values,
                           const std::vector<bool> &covered,
                           ArrayRef<double> weights, ArrayRef<float> importance,
                           PlaneSums &sums) const {
  auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  int64_t offset = static_cast<int64_t>(*lowest);
  std::vector<double> dense(static_cast<int64_t>(*highest) - offset + 1);
  for (size_t i = 0; i < values.size(); ++i)
    if (covered[i % layer.out_c])
      dense[static_cast<int64_t>(values[i]) - offset] +=
          weights[i % layer.out_c] * (importance.empty() ? 1.0 : importance[i]);
  for (size_t i = 0; i < dense.size(); ++i)
    if (dense[i] > 0)
      sums.histogram[offset + static_cast<int64_t>(i)] += dense[i];
}

/// S of every window of `images`, by `chip`.
cim_status SimulatedLayer::streamThrough(cim_device *chip,
                                         ArrayRef<cim_block> blocks,
                                         const float *significance,
                                         uint32_t planes, const void *input,
                                         uint64_t images,
                                         std::vector<float> &sums) const {
  cim_layer plain = layer;
  plain.blocks = blocks.data();
  plain.block_count = blocks.size();
  plain.plane_count = planes;
  plain.significance = significance;
  plain.scale = ones.data();
  plain.bias = zeros.data();
  plain.lo = -std::numeric_limits<float>::infinity();
  plain.hi = std::numeric_limits<float>::infinity();
  plain.out_type = CIM_F32;
  if (cim_status status = chips->simulator.prepare(chip, &plain))
    return fail(status, chips->simulator.last_error());
  uint64_t size = images * windows * layer.out_c;
  if (sums.size() < size)
    sums.resize(size);
  std::vector<cim_status> statuses(images, CIM_OK);
  std::vector<std::string> errors(images);
  llvm::parallelFor(0, images, [&](size_t image) {
    cim_stream part = stream;
    part.size = sizeof part;
    part.layer = layer.id;
    part.first_image = image;
    part.image_count = 1;
    part.input = static_cast<const char *>(input) + image * inputSize;
    part.output = sums.data() + image * windows * layer.out_c;
    statuses[image] = chips->simulator.stream(chip, &part);
    if (statuses[image] == CIM_OK)
      statuses[image] = chips->simulator.wait(chip);
    if (statuses[image] != CIM_OK)
      errors[image] = chips->simulator.last_error();
  });
  for (uint64_t image = 0; image < images; ++image)
    if (statuses[image] != CIM_OK)
      return fail(statuses[image], errors[image]);
  return CIM_OK;
}

} // namespace cim
