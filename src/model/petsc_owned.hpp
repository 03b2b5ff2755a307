#pragma once

namespace rankflow::model {

/// Owns a PETSc object; Destroy is the function of PETSc that releases it.
template <class Object, auto Destroy>
class PetscOwned {
 public:
  PetscOwned() = default;
  PetscOwned(const PetscOwned&) = delete;
  PetscOwned& operator=(const PetscOwned&) = delete;
  ~PetscOwned() { Destroy(&object_); }
  Object get() const noexcept { return object_; }
  Object* address() noexcept { return &object_; }

 private:
  Object object_ = nullptr;
};

}  // namespace rankflow::model
