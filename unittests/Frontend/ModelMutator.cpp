// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The models, and which damage is done to which.
#include "ModelMutator.h"
#include "ModelMutation.h"

namespace cim::fuzz {

struct ModelMutator::Models {
  std::vector<onnx::ModelProto> all;
};

/// Larger models only take time.
static constexpr size_t kMaxBytes = 1 << 17;

ModelMutator::ModelMutator() : models(std::make_unique<Models>()) {
  for (const Mutation::Kind &kind : Mutation::kinds())
    applied.push_back({kind.name, 0});
}
ModelMutator::~ModelMutator() = default;

bool ModelMutator::add(const std::string &bytes) {
  onnx::ModelProto model;
  if (bytes.size() > kMaxBytes || !model.ParseFromString(bytes))
    return false;
  models->all.push_back(std::move(model));
  return true;
}

std::string ModelMutator::mutate(uint64_t seed) {
  std::mt19937_64 random(seed);
  onnx::ModelProto model = models->all[random() % models->all.size()];
  // Half of the models get one mutation, a quarter two: with many, the first
  // checks would refuse nearly all.
  for (bool isLast = false; !isLast; isLast = random() % 2) {
    Mutation mutation(model, models->all, random());
    size_t kind = mutation.below(applied.size());
    applied[kind].second += (mutation.*Mutation::kinds()[kind].apply)();
    if (model.ByteSizeLong() > kMaxBytes)
      break;
  }
  return model.SerializeAsString();
}

} // namespace cim::fuzz
