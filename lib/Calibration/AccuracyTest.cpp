// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much a mapped network loses against the float network, on samples that
// calibration does not see.
#include "cim/Calibration/AccuracyTest.h"
#include "ModelRunner.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;

namespace cim {

static constexpr int64_t maxCalibration = 1024, maxHeld = 4096;

/// The samples from `first` on.
static SampleData cutSamples(const SampleData &all, int64_t first) {
  SampleData cut;
  cut.count = std::min(all.count - first, maxHeld);
  for (const npy::Array &input : all.inputs) {
    npy::Array &part = cut.inputs.emplace_back();
    part.type = input.type;
    part.shape = input.shape;
    part.shape.front() = cut.count;
    int64_t bytes = int64_t(input.bytes.size()) / input.shape.front();
    auto begin = input.bytes.begin() + first * bytes;
    part.bytes.assign(begin, begin + cut.count * bytes);
  }
  return cut;
}

/// Of each `classCount` values the number of the first largest one.
static std::vector<int64_t> findLargest(ArrayRef<float> values,
                                        int64_t classCount) {
  std::vector<int64_t> largest;
  for (; !values.empty(); values = values.drop_front(classCount))
    largest.push_back(
        std::max_element(values.begin(), values.begin() + classCount) -
        values.begin());
  return largest;
}

FailureOr<AccuracyTest> AccuracyTest::create(ModuleOp network, const Arch &arch,
                                             StringRef samples,
                                             StringRef labels, bool byEnergy) {
  FailureOr<SampleData> all = loadSamples(network, samples, /*limit=*/0);
  if (failed(all))
    return failure();
  constexpr int64_t fewest = 8;
  if (all->count < fewest)
    return network.emitError("calibration data '")
           << samples << "': expected at least " << fewest
           << " samples, a quarter of which measures the accuracy, but got "
           << all->count;
  AccuracyTest test;
  test.firstHeld = std::min(all->count - all->count / 4, maxCalibration);
  test.held =
      std::make_shared<const SampleData>(cutSamples(*all, test.firstHeld));
  if (failed(test.chooseMeasure(network, byEnergy)) ||
      (!labels.empty() && failed(test.readLabels(network, labels, all->count))))
    return failure();
  FailureOr<Outputs> reference = test.evaluate(network, arch);
  if (failed(reference))
    return failure();
  test.reference = std::move(*reference);
  auto main = network.lookupSymbol<func::FuncOp>("main");
  for (auto [values, result] : llvm::zip_equal(
           test.reference, main.front().getTerminator()->getOperands()))
    if (!llvm::all_of(values, [](float v) { return std::isfinite(v); }))
      return emitError(result.getLoc(),
                       "expected finite outputs of the float network on the "
                       "calibration data, but got infinite ones or NaN: no "
                       "accuracy can be measured");
  if (test.kind == Measure::Agreement)
    test.classes = findLargest(test.reference.front(), test.classCount);
  return test;
}

int64_t AccuracyTest::heldCount() const { return held->count; }

/// A network with one output, a vector of floats per sample, classifies.
LogicalResult AccuracyTest::chooseMeasure(ModuleOp network, bool byEnergy) {
  auto main = network.lookupSymbol<func::FuncOp>("main");
  if (llvm::none_of(main.getResultTypes(), [](Type type) {
        return getElementTypeOrSelf(type).isF32();
      }))
    return network.emitError("expected a float output to measure the accuracy "
                             "of, but got ")
           << main.getResultTypes();
  auto first = cast<RankedTensorType>(main.getResultTypes().front());
  if (byEnergy || main.getNumResults() != 1 || first.getRank() != 2 ||
      first.getDimSize(1) < 2)
    return success();
  kind = Measure::Agreement;
  classCount = first.getDimSize(1);
  return success();
}

LogicalResult AccuracyTest::readLabels(ModuleOp network, StringRef path,
                                       int64_t sampleCount) {
  if (kind != Measure::Agreement)
    return network.emitError("labels ")
           << path
           << ": expected a network with one output of shape (samples, "
              "classes) in float";
  std::string problem;
  std::optional<std::vector<int64_t>> labels =
      npy::readLabels(path.str(), sampleCount, classCount, problem);
  if (!labels)
    return network.emitError("labels ") << problem;
  classes.assign(labels->begin() + firstHeld,
                 labels->begin() + firstHeld + heldCount());
  kind = Measure::Labels;
  return success();
}

FailureOr<AccuracyTest::Outputs>
AccuracyTest::evaluate(ModuleOp program, const Arch &arch) const {
  FailureOr<ModelRunner> runner = ModelRunner::compile(program, arch);
  if (failed(runner))
    return failure();
  return runner->evaluate(*held, held->count);
}

double AccuracyTest::countHits(const std::vector<float> &values,
                               ArrayRef<int64_t> classes) const {
  int64_t hits = 0;
  for (auto [found, expected] :
       llvm::zip_equal(findLargest(values, classCount), classes))
    hits += found == expected;
  return 100.0 * double(hits) / double(classes.size());
}

FailureOr<double> AccuracyTest::measureDrop(ModuleOp program,
                                            const Arch &arch) const {
  FailureOr<Outputs> outputs = evaluate(program, arch);
  if (failed(outputs))
    return failure();
  double error = 0, energy = 0;
  for (auto [values, exact] : llvm::zip_equal(*outputs, reference))
    for (auto [value, wanted] : llvm::zip_equal(values, exact)) {
      double difference = double(value) - double(wanted);
      error += difference * difference;
      energy += double(wanted) * double(wanted);
    }
  if (!std::isfinite(error))
    return std::numeric_limits<double>::infinity();
  if (kind == Measure::Error)
    return error == 0 ? 0 : 100 * error / energy;
  // Float agrees with itself on all of them.
  return countHits(reference.front(), classes) -
         countHits(outputs->front(), classes);
}

} // namespace cim
