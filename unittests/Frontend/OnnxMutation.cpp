// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damage that aims at what ONNX gives a meaning: extents, names, graphs within
// graphs, the data of tensors.
#include "ModelMutation.h"
#include <cstring>

using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::NodeProto;
using onnx::TensorProto;

namespace cim::fuzz {

const std::vector<Mutation::Kind> &Mutation::kinds() {
  static const std::vector<Kind> all{
      {"field", &Mutation::setField},
      {"removal", &Mutation::removeField},
      {"copy", &Mutation::copyElement},
      {"order", &Mutation::swapElements},
      {"transplant", &Mutation::transplant},
      {"nested graphs", &Mutation::nestGraphs},
      {"cycle", &Mutation::readItself},
      {"huge extents", &Mutation::hugeExtents},
      {"negative extents", &Mutation::negativeExtents},
      {"rank", &Mutation::wrongRank},
      {"same names", &Mutation::sameNames},
      {"operand", &Mutation::otherOperand},
      {"raw length", &Mutation::wrongRawLength},
      {"elements", &Mutation::wrongElements},
      {"attribute type", &Mutation::wrongAttributeType},
      {"attribute value", &Mutation::wrongAttributeValue},
      {"input to constant", &Mutation::inputToConstant},
      {"constant to input", &Mutation::constantToInput},
      {"external data", &Mutation::storeOutside},
  };
  return all;
}

GraphProto *Mutation::anyGraph() {
  auto *graph = any<GraphProto>();
  return graph && graph->node_size() ? graph : nullptr;
}

/// A name that something in the graph has.
std::string Mutation::anyName(const GraphProto &graph) {
  std::vector<std::string> names;
  for (const NodeProto &node : graph.node())
    names.insert(names.end(), node.output().begin(), node.output().end());
  for (const auto &input : graph.input())
    names.push_back(input.name());
  for (const auto &initializer : graph.initializer())
    names.push_back(initializer.name());
  return names.empty() ? "" : names[below(names.size())];
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

static void addNode(GraphProto &graph, const char *op, const std::string &input,
                    const std::string &output) {
  NodeProto &node = *graph.add_node();
  node.set_op_type(op);
  node.add_input(input);
  node.add_output(output);
  graph.add_output()->set_name(output);
}

static void addGraph(NodeProto &node, const char *name, GraphProto graph) {
  AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(AttributeProto::GRAPH);
  *attribute.mutable_g() = std::move(graph);
}

/// In the place of a node: Ifs within Ifs, of which the importer has to do
/// both branches, or the whole graph as an attribute of its own node.
bool Mutation::nestGraphs() {
  GraphProto *graph = anyGraph();
  if (!graph)
    return false;
  std::string condition = anyName(*graph);
  NodeProto &node = *graph->mutable_node(int(below(graph->node_size())));
  if (below(3) == 0) {
    static const char *const names[] = {"body", "then_branch", "else_branch"};
    static const char *const ops[] = {"If", "Loop", "Scan"};
    addGraph(node, names[below(3)], GraphProto(model.graph()));
    if (below(2))
      node.set_op_type(ops[below(3)]);
    return true;
  }
  GraphProto inner, leaf;
  addNode(leaf, "Identity", condition, "leaf");
  addNode(inner, "Identity", condition, "inner");
  // Protobuf parses about 33 graphs within graphs.
  for (size_t depth = 1 + below(40); depth > 0; --depth) {
    GraphProto outer;
    std::string name = "nested" + std::to_string(depth);
    addNode(outer, "If", condition, name);
    addGraph(*outer.mutable_node(0), "then_branch", std::move(inner));
    addGraph(*outer.mutable_node(0), "else_branch", GraphProto(leaf));
    inner = std::move(outer);
  }
  node.clear_attribute();
  node.set_op_type("If");
  *node.mutable_input() = inner.node(0).input();
  AttributeProto branches[] = {inner.node(0).attribute(0),
                               inner.node(0).attribute(1)};
  for (AttributeProto &branch : branches)
    *node.add_attribute() = std::move(branch);
  return true;
}

/// A node that reads its own result, maybe from a graph within it or by way of
/// another node; or a function that calls itself.
bool Mutation::readItself() {
  if (auto *function = any<onnx::FunctionProto>(); function && below(2)) {
    NodeProto &call = *function->add_node();
    if (function->node_size() > 1 && below(2))
      call = function->node(0);
    call.set_op_type(function->name());
    call.set_domain(function->domain());
    for (const std::string &output : function->output())
      if (call.output_size() == 0)
        call.add_output(output);
    return true;
  }
  GraphProto *graph = anyGraph();
  if (!graph)
    return false;
  NodeProto &node = *graph->mutable_node(int(below(graph->node_size())));
  NodeProto *reader = &node;
  for (AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.has_g() && attribute.g().node_size() && below(2)) {
      GraphProto &body = *attribute.mutable_g();
      reader = body.mutable_node(int(below(body.node_size())));
    }
  if (reader == &node && below(2))
    reader = graph->mutable_node(int(below(graph->node_size())));
  if (node.output_size() == 0)
    return false;
  const std::string &own = node.output(int(below(node.output_size())));
  if (reader->input_size() && below(4))
    reader->set_input(int(below(reader->input_size())), own);
  else
    reader->add_input(own);
  return true;
}

bool Mutation::sameNames() {
  GraphProto *graph = anyGraph();
  if (!graph)
    return false;
  std::string name = anyName(*graph);
  NodeProto &node = *graph->mutable_node(int(below(graph->node_size())));
  switch (below(4)) {
  case 0:
    if (graph->initializer_size()) {
      int index = int(below(graph->initializer_size()));
      graph->mutable_initializer(index)->set_name(name);
      return true;
    }
    [[fallthrough]];
  case 1:
    if (graph->input_size()) {
      graph->mutable_input(int(below(graph->input_size())))->set_name(name);
      return true;
    }
    [[fallthrough]];
  case 2:
    if (node.attribute_size() > 1) {
      node.mutable_attribute(0)->set_name(node.attribute(1).name());
      return true;
    }
    [[fallthrough]];
  default:
    if (node.output_size() == 0)
      return false;
    node.set_output(int(below(node.output_size())), name);
    return true;
  }
}

bool Mutation::otherOperand() {
  GraphProto *graph = anyGraph();
  if (!graph)
    return false;
  NodeProto &node = *graph->mutable_node(int(below(graph->node_size())));
  std::string name = below(5) ? anyName(*graph) : "";
  if (node.input_size() && below(4))
    node.set_input(int(below(node.input_size())), name);
  else
    node.add_input(name);
  return true;
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

bool Mutation::setExtents(const std::function<int64_t(int64_t)> &replace) {
  bool changed = false;
  auto set = [&](auto &extents) {
    for (auto &extent : extents)
      if (below(3)) {
        extent = replace(extent);
        changed = true;
      }
  };
  switch (below(4)) {
  case 0:
    if (auto *tensor = any<TensorProto>())
      set(*tensor->mutable_dims());
    return changed;
  case 1:
    if (auto *shape = any<onnx::TensorShapeProto>())
      for (auto &dim : *shape->mutable_dim())
        if (below(3)) {
          dim.set_dim_value(replace(dim.dim_value()));
          changed = true;
        }
    return changed;
  case 2:
    if (auto *attribute = any<AttributeProto>())
      set(*attribute->mutable_ints());
    return changed;
  default:
    auto *tensor = any<TensorProto>();
    if (!tensor || tensor->data_type() != TensorProto::INT64)
      return false;
    set(*tensor->mutable_int64_data());
    std::vector<int64_t> values(tensor->raw_data().size() / sizeof(int64_t));
    if (values.empty())
      return changed;
    std::memcpy(values.data(), tensor->raw_data().data(),
                values.size() * sizeof(int64_t));
    set(values);
    tensor->set_raw_data(values.data(), values.size() * sizeof(int64_t));
    return changed;
  }
}

/// Products of these wrap to 0, to 1 (3 times the last) or to a negative.
bool Mutation::hugeExtents() {
  static constexpr int64_t kHuge[] = {1ll << 31,
                                      1ll << 32,
                                      1ll << 33,
                                      1ll << 62,
                                      INT64_MAX,
                                      INT32_MAX,
                                      3,
                                      0,
                                      1ll << 20,
                                      1ll << 24,
                                      65536,
                                      1,
                                      int64_t(0xAAAAAAAAAAAAAAAB)};
  return setExtents([&](int64_t) { return kHuge[below(std::size(kHuge))]; });
}

bool Mutation::negativeExtents() {
  return setExtents([&](int64_t old) -> int64_t {
    switch (below(4)) {
    case 0:
      return -1;
    case 1:
      return INT64_MIN;
    default:
      return old > INT64_MIN ? -old : old;
    }
  });
}

/// One extent more or less, so that shapes and lists do not fit each other.
bool Mutation::wrongRank() {
  auto resize = [&](auto &list, auto &&add) {
    if (list.size() && below(2))
      list.RemoveLast();
    else
      for (size_t count = below(8) ? 1 : 60; count > 0; --count)
        add(int64_t(1 + below(3)));
    return true;
  };
  if (below(3) == 0)
    if (auto *attribute = any<AttributeProto>())
      return resize(*attribute->mutable_ints(),
                    [&](int64_t value) { attribute->add_ints(value); });
  if (below(2))
    if (auto *tensor = any<TensorProto>())
      return resize(*tensor->mutable_dims(),
                    [&](int64_t) { tensor->add_dims(1); });
  if (auto *shape = any<onnx::TensorShapeProto>())
    return resize(*shape->mutable_dim(), [&](int64_t value) {
      shape->add_dim()->set_dim_value(value);
    });
  return false;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

bool Mutation::wrongRawLength() {
  auto *tensor = any<TensorProto>();
  if (!tensor)
    return false;
  std::string &data = *tensor->mutable_raw_data();
  size_t size = data.size();
  switch (below(5)) {
  case 0:
    size = below(size + 1);
    break;
  case 1:
    size *= 2;
    break;
  case 2:
    size = 0;
    break;
  default:
    size += 1 + below(8);
  }
  data.resize(size, char(below(256)));
  return true;
}

/// Extreme numbers in a tensor's data.
bool Mutation::wrongElements() {
  auto *tensor = any<TensorProto>();
  if (!tensor)
    return false;
  auto store = [&](size_t index, auto value) {
    std::string &data = *tensor->mutable_raw_data();
    if ((index + 1) * sizeof(value) <= data.size())
      std::memcpy(&data[index * sizeof(value)], &value, sizeof(value));
  };
  size_t bytes = tensor->raw_data().size();
  for (size_t count = 1 + below(3); count > 0; --count) {
    switch (tensor->data_type()) {
    case TensorProto::FLOAT:
      if (tensor->float_data_size())
        tensor->set_float_data(int(below(tensor->float_data_size())),
                               float(real()));
      store(below(bytes / 4), float(real()));
      break;
    case TensorProto::DOUBLE:
      store(below(bytes / 8), real());
      break;
    case TensorProto::INT64:
    case TensorProto::UINT64:
      if (tensor->int64_data_size())
        tensor->set_int64_data(int(below(tensor->int64_data_size())),
                               integer());
      store(below(bytes / 8), integer());
      break;
    case TensorProto::INT32:
    case TensorProto::UINT32:
      if (tensor->int32_data_size())
        tensor->set_int32_data(int(below(tensor->int32_data_size())),
                               int32_t(integer()));
      store(below(bytes / 4), int32_t(integer()));
      break;
    default:
      if (tensor->int32_data_size())
        tensor->set_int32_data(int(below(tensor->int32_data_size())),
                               int32_t(integer()));
      store(below(bytes), char(integer()));
    }
  }
  return true;
}

static constexpr std::pair<const char *, const char *> kLocations[] = {
    {"location", "/dev/zero"},
    {"location", "../weights.bin"},
    {"location", ""},
    {"location", "."},
    {"location", "/proc/self/mem"},
    {"offset", "18446744073709551615"},
    {"offset", "-1"},
    {"length", "99999999999999999999"},
    {"length", "9223372036854775807"},
    {"length", ""},
};

bool Mutation::storeOutside() {
  auto *tensor = any<TensorProto>();
  if (!tensor)
    return false;
  if (below(2))
    tensor->clear_raw_data();
  tensor->set_data_location(TensorProto::EXTERNAL);
  for (size_t count = 1 + below(3); count > 0; --count) {
    auto [key, value] = kLocations[below(std::size(kLocations))];
    auto &entry = *tensor->add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
  return true;
}

/// Operands that only constants can be: run-time values of the same type.
bool Mutation::constantToInput() {
  GraphProto *graph = anyGraph();
  if (!graph || graph->initializer_size() == 0)
    return false;
  int index = int(below(graph->initializer_size()));
  const TensorProto &tensor = graph->initializer(index);
  auto &input = *graph->add_input();
  input.set_name(tensor.name());
  auto &type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(tensor.data_type());
  for (int64_t dim : tensor.dims())
    type.mutable_shape()->add_dim()->set_dim_value(dim);
  graph->mutable_initializer()->SwapElements(index,
                                             graph->initializer_size() - 1);
  graph->mutable_initializer()->RemoveLast();
  return true;
}

bool Mutation::inputToConstant() {
  GraphProto *graph = anyGraph();
  if (!graph || graph->input_size() == 0)
    return false;
  int index = int(below(graph->input_size()));
  const auto &input = graph->input(index);
  TensorProto tensor;
  tensor.set_name(input.name());
  tensor.set_data_type(input.type().tensor_type().elem_type());
  size_t bytes = 8;
  for (const auto &dim : input.type().tensor_type().shape().dim()) {
    tensor.add_dims(dim.dim_value());
    bytes *= size_t(dim.dim_value());
  }
  static constexpr size_t kWidths[] = {1, 2, 4, 4, 4, 8};
  bytes = bytes / 8 * kWidths[below(std::size(kWidths))];
  if (bytes > 4096)
    return false;
  std::string data(bytes, '\0');
  if (below(2))
    for (size_t i = 0; i < bytes; i += 4)
      data[i] = char(below(4));
  tensor.set_raw_data(data);
  graph->mutable_input()->SwapElements(index, graph->input_size() - 1);
  graph->mutable_input()->RemoveLast();
  *graph->add_initializer() = std::move(tensor);
  return true;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// Another type than the value has, or another value than the type says.
bool Mutation::wrongAttributeType() {
  auto *attribute = any<AttributeProto>();
  if (!attribute)
    return false;
  auto type = AttributeProto::AttributeType(below(15));
  if (below(2)) {
    attribute->set_type(type);
    return true;
  }
  std::string name = attribute->name(), value = text("auto_pad");
  attribute->Clear();
  attribute->set_name(name);
  attribute->set_type(type);
  attribute->set_i(integer());
  attribute->set_f(float(real()));
  attribute->set_s(value);
  attribute->add_ints(integer());
  attribute->add_floats(float(real()));
  attribute->add_strings(value);
  return true;
}

bool Mutation::wrongAttributeValue() {
  auto *attribute = any<AttributeProto>();
  if (!attribute)
    return false;
  switch (attribute->type()) {
  case AttributeProto::INT:
    attribute->set_i(below(4) ? integer()
                              : int64_t(uint64_t(attribute->i()) + 1));
    return true;
  case AttributeProto::FLOAT:
    attribute->set_f(float(real()));
    return true;
  case AttributeProto::STRING:
    attribute->set_s(text(attribute->s()));
    return true;
  case AttributeProto::INTS:
    if (attribute->ints_size() == 0)
      return false;
    attribute->set_ints(int(below(attribute->ints_size())), integer());
    return true;
  default:
    return false;
  }
}

} // namespace cim::fuzz
