// The attributes of a node: a few named constants, read once when the node is inferred or planned.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/status.h"

namespace ranvier {

using Ints = std::vector<std::int64_t>;
struct Body;  // graph/body.h
using BodyPtr = std::shared_ptr<const Body>;
using Attribute = std::variant<bool, std::int64_t, double, DType, Ints, BodyPtr>;

class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<std::string, Attribute>> items) : items_(items) {}

  void set(std::string name, Attribute value) { items_.emplace_back(std::move(name), std::move(value)); }
  bool has(std::string_view name) const { return find(name) != nullptr; }

  template <class T>
  const T& get(std::string_view name) const {
    const Attribute* value = find(name);
    if (!value) fail(ErrorKind::kType, "Attribute '", name, "' is missing.");
    const T* typed = std::get_if<T>(value);
    if (!typed) fail(ErrorKind::kType, "Attribute '", name, "' has the wrong type.");
    return *typed;
  }

  const std::vector<std::pair<std::string, Attribute>>& items() const { return items_; }
  bool operator==(const Attributes& other) const { return items_ == other.items_; }

 private:
  const Attribute* find(std::string_view name) const {
    for (const auto& [key, value] : items_)
      if (key == name) return &value;
    return nullptr;
  }
  std::vector<std::pair<std::string, Attribute>> items_;
};

}  // namespace ranvier
