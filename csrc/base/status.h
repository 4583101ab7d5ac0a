// The one error type of the core. A refusal carries the Python exception it becomes and a message that
// says what was expected and what came; bindings/ translate it.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace ranvier {

enum class ErrorKind { kValue, kType, kIndex, kMemory, kRuntime };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

namespace detail {
template <class... Parts>
std::string concat(Parts&&... parts) {
  std::ostringstream out;
  (out << ... << std::forward<Parts>(parts));
  return out.str();
}
}  // namespace detail

template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, Parts&&... parts) {
  throw Error(kind, detail::concat(std::forward<Parts>(parts)...));
}

template <class... Parts>
void require(bool condition, Parts&&... parts) {
  if (!condition) fail(ErrorKind::kValue, std::forward<Parts>(parts)...);
}

}  // namespace ranvier
