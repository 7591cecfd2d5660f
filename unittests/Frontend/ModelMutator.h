// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structure-aware damage to ONNX models. This header is free of protobuf.
#ifndef CIM_UNITTESTS_FRONTEND_MODELMUTATOR_H
#define CIM_UNITTESTS_FRONTEND_MODELMUTATOR_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cim::fuzz {

/// Makes damaged copies of valid models. What comes out depends on the models,
/// their order and `seed` only.
class ModelMutator {
public:
  ModelMutator();
  ~ModelMutator();

  /// Adds a valid model, the content of a .onnx file; false when it is none.
  bool add(const std::string &bytes);

  /// A copy of one of the models after one or more mutations.
  std::string mutate(uint64_t seed);

  /// Every kind of mutation, and how often it has been applied.
  const std::vector<std::pair<std::string, uint64_t>> &getApplied() const {
    return applied;
  }

private:
  std::vector<std::pair<std::string, uint64_t>> applied;
  struct Models;
  std::unique_ptr<Models> models;
};

} // namespace cim::fuzz

#endif // CIM_UNITTESTS_FRONTEND_MODELMUTATOR_H
