// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structure-aware damage to ONNX models. Only ModelMutator.cpp sees protobuf.
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
  size_t size() const;

  /// A copy of one of the models after one to eight mutations: fields set to
  /// extreme values, elements deleted, doubled, swapped or copied from other
  /// places and models, graphs nested into attributes.
  std::string mutate(uint64_t seed) const;

private:
  struct Models;
  std::unique_ptr<Models> models;
};

} // namespace cim::fuzz

#endif // CIM_UNITTESTS_FRONTEND_MODELMUTATOR_H
