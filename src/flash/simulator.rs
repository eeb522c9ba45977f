//! NOR flash that cuts power and misbehaves (placeholder while the module is written).
