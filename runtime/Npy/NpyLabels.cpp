// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the class of every sample.

#include "Npy/Npy.h"

#include <cstdio>

using namespace cim::npy;

/// What is wrong with the labels; nothing if they can be used.
static std::optional<std::string> findFault(const Array &labels,
                                            int64_t samples, int64_t classes) {
  if (labels.type == Type::F32 || labels.type == Type::F64)
    return std::string("expected integers, but got ") + typeName(labels.type);
  if (labels.shape != std::vector<int64_t>{samples})
    return "expected shape " + shapeText({samples}) +
           ", a class for each sample, but got " + shapeText(labels.shape);
  for (int64_t i = 0; i < samples; ++i) {
    double label = labels.value(i);
    if (label >= 0 && label < double(classes))
      continue;
    char text[32]; // a 64-bit integer
    snprintf(text, sizeof text, "%.0f", label);
    return "expected classes from 0 to " + std::to_string(classes - 1) +
           ", but got " + text + " at " + std::to_string(i);
  }
  return std::nullopt;
}

std::optional<std::vector<int64_t>>
cim::npy::readLabels(const std::string &path, int64_t samples, int64_t classes,
                     std::string &error) {
  std::optional<Array> array = read(path, error);
  if (!array)
    return std::nullopt;
  if (std::optional<std::string> fault = findFault(*array, samples, classes)) {
    error = path + ": " + *fault;
    return std::nullopt;
  }
  std::vector<int64_t> labels(samples);
  for (int64_t i = 0; i < samples; ++i)
    labels[i] = int64_t(array->value(i));
  return labels;
}
