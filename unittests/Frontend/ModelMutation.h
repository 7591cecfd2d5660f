// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One damage to a model. What is done without knowing ONNX, by protobuf's
// reflection, is in ReflectedMutation.cpp; what aims at ONNX's meaning, in
// OnnxMutation.cpp.
#ifndef CIM_UNITTESTS_FRONTEND_MODELMUTATION_H
#define CIM_UNITTESTS_FRONTEND_MODELMUTATION_H

#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include "onnx/onnx_pb.h"
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace cim::fuzz {

class Mutation {
public:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  Mutation(onnx::ModelProto &model, const std::vector<onnx::ModelProto> &donors,
           uint64_t seed)
      : model(model), donors(donors), random(seed) {
    collect(model, messages);
  }

  /// A kind of damage: false when the model has no place for it.
  struct Kind {
    const char *name;
    bool (Mutation::*apply)();
  };
  static const std::vector<Kind> &kinds();

  size_t below(size_t bound) { return bound ? random() % bound : 0; }

private:
  // By reflection.
  bool setField();
  bool removeField();
  bool copyElement();
  bool swapElements();
  bool transplant();

  // With ONNX's meaning.
  bool nestGraphs();
  bool readItself();
  bool hugeExtents();
  bool negativeExtents();
  bool wrongRank();
  bool sameNames();
  bool otherOperand();
  bool wrongRawLength();
  bool wrongElements();
  bool wrongAttributeType();
  bool wrongAttributeValue();
  bool inputToConstant();
  bool constantToInput();
  bool storeOutside();

  static void collect(Message &message, std::vector<Message *> &messages);
  Message &any() { return *messages[below(messages.size())]; }
  /// A message of that type, or null.
  template <typename T> T *any() {
    std::vector<T *> all;
    for (Message *message : messages)
      if (auto *found = dynamic_cast<T *>(message))
        all.push_back(found);
    return all.empty() ? nullptr : all[below(all.size())];
  }
  /// A graph that has nodes, or null.
  onnx::GraphProto *anyGraph();
  std::string anyName(const onnx::GraphProto &graph);

  const Field *pick(const Message &message);
  const Field *pickList(const Message &message);
  int64_t integer();
  double real();
  std::string text(const std::string &old);
  /// Replaces some extents of a shape: of a tensor, an input or in an operand.
  bool setExtents(const std::function<int64_t(int64_t)> &replace);

  onnx::ModelProto &model;
  const std::vector<onnx::ModelProto> &donors;
  std::mt19937_64 random;
  std::vector<Message *> messages; ///< all within the model
};

} // namespace cim::fuzz

#endif // CIM_UNITTESTS_FRONTEND_MODELMUTATION_H
