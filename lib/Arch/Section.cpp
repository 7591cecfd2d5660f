// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and checking the fields of one mapping.

#include "Section.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace cim;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

std::string cim::oneOfText(ArrayRef<StringRef> words) {
  if (words.size() == 1)
    return ("'" + words.front() + "'").str();
  return "one of " + llvm::join(words, ", ");
}

/// ": did you mean 'x'?" or, when nothing is near, the words there are.
static std::string suggestion(StringRef found, ArrayRef<StringRef> words) {
  StringRef best;
  unsigned bestDistance = found.size() / 3 + 2;
  for (StringRef word : words) {
    unsigned distance = found.edit_distance_insensitive(word);
    if (distance < bestDistance && distance < word.size()) {
      bestDistance = distance;
      best = word;
    }
  }
  if (!best.empty())
    return ("did you mean '" + best + "'?").str();
  return "expected " + oneOfText(words);
}

Section::Section(Diagnoser &diagnoser, const YAMLNode &node, StringRef name,
                 ArrayRef<StringRef> keys)
    : diagnoser(diagnoser), node(node), name(name.str()) {
  if (!node.isMap()) {
    fail(node, "expected 'key: value' lines in " + name);
    return;
  }
  for (const YAMLEntry &entry : node.entries)
    if (!llvm::is_contained(keys, entry.key.text))
      fail(entry.key, "unknown key '" + entry.key.text + "' in " + name + ": " +
                          suggestion(entry.key.text, keys));
}

std::optional<Section> Section::open(StringRef key, ArrayRef<StringRef> keys,
                                     bool required) const {
  if (hasFailed() || (!required && !find(key)))
    return std::nullopt;
  const YAMLNode *node = require(key);
  if (!node)
    return std::nullopt;
  Section section(diagnoser, *node, ("'" + key + "'").str(), keys);
  if (hasFailed())
    return std::nullopt;
  return section;
}

const YAMLNode *Section::find(StringRef key) const {
  for (const YAMLEntry &entry : node.entries)
    if (entry.key.text == key)
      return &entry.value;
  return nullptr;
}

const YAMLNode *Section::require(StringRef key) const {
  const YAMLNode *value = find(key);
  if (!value)
    fail(node, "missing key '" + key + "' in " + name);
  else if (value->kind == YAMLNode::Kind::Null)
    fail(*value, "key '" + key + "' has no value");
  return hasFailed() ? nullptr : value;
}

const YAMLNode *Section::scalar(StringRef key) const {
  const YAMLNode *value = require(key);
  if (value && !value->isScalar())
    fail(*value, "expected one value for '" + key + "', found a " +
                     (value->isMap() ? "mapping" : "list"));
  return hasFailed() ? nullptr : value;
}

std::string Section::text(StringRef key) const {
  const YAMLNode *value = scalar(key);
  if (!value)
    return {};
  StringRef text = StringRef(value->text).trim();
  if (text.empty())
    fail(*value, "'" + key + "' is empty");
  return text.str();
}

int64_t Section::whole(StringRef key, int64_t lo, int64_t hi) const {
  const YAMLNode *value = scalar(key);
  if (!value)
    return lo;
  std::optional<int64_t> number = parseWhole(value->text);
  if (!number || *number < lo || *number > hi)
    fail(*value, llvm::formatv("expected a whole number from {0} to {1} for "
                               "'{2}', found '{3}'",
                               lo, hi, key, value->text)
                     .str());
  return number.value_or(lo);
}

bool Section::flag(StringRef key, bool missing) const {
  return find(key) ? oneOf(key, {"false", "true"}) == 1 : missing;
}

size_t Section::oneOf(StringRef key, ArrayRef<StringRef> words) const {
  const YAMLNode *value = scalar(key);
  if (!value)
    return 0;
  const StringRef *word = llvm::find(words, StringRef(value->text));
  if (word != words.end())
    return word - words.begin();
  fail(*value, "unknown value '" + value->text + "' for '" + key +
                   "': " + suggestion(value->text, words));
  return 0;
}

double Section::quantity(StringRef key, Dimension dimension,
                         Bounds bounds) const {
  const YAMLNode *value = scalar(key);
  if (!value)
    return 0;
  std::string error;
  std::optional<double> number = parseQuantity(value->text, dimension, error);
  if (!number)
    fail(*value, error);
  else if (*number < bounds.lo || (bounds.loOpen && *number == bounds.lo))
    fail(*value,
         llvm::formatv(bounds.loOpen ? "expected more than {0}, found '{1}'"
                                     : "expected {0} or more, found '{1}'",
                       int64_t(bounds.lo), value->text)
             .str());
  else if (*number > bounds.hi)
    fail(*value, "expected at most 100 %, found '" + value->text + "'");
  return number.value_or(0);
}

std::vector<double> Section::numbersIfAny(StringRef key, size_t least,
                                          size_t most) const {
  std::vector<double> numbers;
  if (!find(key))
    return numbers;
  const YAMLNode *list = require(key);
  if (!list)
    return numbers;
  if (list->isList() && list->items.size() >= least &&
      list->items.size() <= most)
    for (const YAMLNode &item : list->items) {
      std::string error;
      std::optional<double> number =
          parseQuantity(item.text, Dimension::Number, error);
      if (!number || std::abs(*number) > 1e6) {
        fail(item, "expected a number from -1e6 to 1e6 in '" + key +
                       "', found '" + item.text + "'");
        return {};
      }
      numbers.push_back(*number);
    }
  else
    fail(*list,
         llvm::formatv(
             "expected a list of {0} for '{1}'",
             least == most
                 ? llvm::formatv("{0} numbers", least).str()
                 : llvm::formatv("{0} to {1} numbers", least, most).str(),
             key)
             .str());
  return numbers;
}

Arch::Figure Section::figure(StringRef key, Dimension dimension,
                             Bounds bounds) const {
  const YAMLNode *value = require(key);
  if (!value)
    return {};
  if (!value->isMap()) {
    fail(*value, "expected '" + key +
                     ": { value: ..., source: \"where the value comes "
                     "from\" }'");
    return {};
  }
  Section fields(diagnoser, *value, ("'" + key + "'").str(),
                 {"value", "source"});
  Arch::Figure figure;
  figure.value = fields.quantity("value", dimension, bounds);
  figure.source = fields.text("source");
  return figure;
}

std::optional<Arch::Figure>
Section::figureIfAny(StringRef key, Dimension dimension, Bounds bounds) const {
  if (!find(key))
    return std::nullopt;
  return figure(key, dimension, bounds);
}
