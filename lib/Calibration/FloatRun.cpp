// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a copy of a network and watches values of it.
#include "FloatRun.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"

using namespace mlir;

namespace cim {

/// Samples per call of the float network: enough to keep libraries busy, and
/// so that as few as possible of `count` are left over.
static int64_t chooseFloatBatch(int64_t count) {
  constexpr int64_t least = 16, most = 32;
  if (count <= most)
    return count;
  int64_t best = most;
  for (int64_t batch = most; batch >= least; --batch)
    if (count % batch < count % best)
      best = batch;
  return best;
}

FloatRun::FloatRun(ModuleOp module, const SampleData &data, bool inOrder)
    : data(data), clone(cast<ModuleOp>(module->clone(mapping))),
      oldBatch(nn::getBatch(module)) {
  int64_t batch = chooseFloatBatch(data.count);
  rebatched = rebatch(*clone, batch, inOrder);
  if (!rebatched) {
    // Ops that the failed attempt changed are of no use.
    mapping.clear();
    clone = cast<ModuleOp>(module->clone(mapping));
    batch = oldBatch;
  }
  // A last call that is not full would need padding.
  count = std::max<int64_t>(data.count / batch, 1) * batch;
  count = std::min(count, data.count);
}

int64_t FloatRun::firstSample(int64_t part, int64_t parts) const {
  return getPart(count, nn::getBatch(*clone), parts, part).begin;
}

LogicalResult FloatRun::run(const Arch &arch, ArrayRef<Value> values,
                            int64_t parts, const Observer &observer) {
  OpBuilder builder(clone->getContext());
  for (auto [number, value] : llvm::enumerate(values)) {
    Value copy = mapping.lookup(value);
    builder.setInsertionPointAfterValue(copy);
    nn::ObserveOp::create(builder, copy.getLoc(), copy,
                          static_cast<int64_t>(number));
  }
  struct Part {
    const Observer &observer;
    size_t number;
  };
  std::vector<Part> users;
  for (int64_t part = 0; part < parts; ++part)
    users.push_back({observer, static_cast<size_t>(part)});
  std::vector<cim_session_options> sessions;
  for (Part &user : users) {
    cim_session_options &options = sessions.emplace_back();
    options = {};
    options.size = sizeof options;
    options.threads = 1;
    options.observe = [](void *part, uint32_t value, const float *data,
                         uint64_t size) {
      auto *user = static_cast<Part *>(part);
      user->observer(user->number, value, {data, size});
    };
    options.observe_user = &user;
  }
  FailureOr<ModelRunner> runner = ModelRunner::compile(*clone, arch);
  if (failed(runner))
    return failure();
  return runner->run(data, count, sessions);
}

} // namespace cim
