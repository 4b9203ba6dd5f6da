//! Checks the signature of a handler's function.

use syn::spanned::Spanned;
use syn::{Error, FnArg, ReturnType, Safety, Signature, Type};

/// The types in a function's signature.
#[derive(Debug)]
pub(crate) struct Types<'a> {
    pub(crate) context: &'a Type,
    pub(crate) payload: Option<&'a Type>,
    pub(crate) output: &'a Type,
}

impl<'a> Types<'a> {
    /// Returns the types of `signature`. The compiler checks later that they are the right ones,
    /// and marks its errors at the same places.
    ///
    /// # Errors
    /// Returns the reason, with its place, if the signature cannot be that of a handler's function.
    pub(crate) fn of(signature: &'a Signature) -> Result<Self, Error> {
        if let Some(token) = signature.constness {
            return Err(Error::new(token.span(), "a task's function cannot be const"));
        }
        if let Safety::Unsafe(token) = &signature.safety {
            return Err(Error::new(token.span(), "a task's function cannot be unsafe"));
        }
        if let Some(abi) = &signature.abi {
            return Err(Error::new(abi.span(), "a task's function cannot be extern"));
        }
        if signature.asyncness.is_none() {
            return Err(Error::new(
                signature.fn_token.span(),
                "a task's function must be async: write async fn",
            ));
        }
        if let Some(parameter) = signature.generics.params.first() {
            return Err(Error::new(
                parameter.span(),
                "a task's function cannot be generic; name the types",
            ));
        }
        let mut inputs = signature.inputs.iter();
        let Some(context) = inputs.next() else {
            return Err(Error::new(
                signature.paren_token.span.join(),
                "the first parameter of a task's function is the context: write (context: TaskContext), or (context: TaskContext, payload: …)",
            ));
        };
        let context = owned(context)?;
        let payload = inputs.next().map(owned).transpose()?;
        if let Some(more) = inputs.next() {
            return Err(Error::new(
                more.span(),
                "a task's function has two parameters, the context and the payload; put more values into the payload",
            ));
        }
        let ReturnType::Type(_, output) = &signature.output else {
            return Err(Error::new(
                signature.ident.span(),
                "a task's function returns Result<(), HandlerError>; write -> Result<(), HandlerError>",
            ));
        };
        Ok(Self { context, payload, output })
    }
}

/// Returns the type of a parameter, which must be taken by value.
fn owned(parameter: &FnArg) -> Result<&Type, Error> {
    let FnArg::Typed(parameter) = parameter else {
        return Err(Error::new(
            parameter.span(),
            "a task's function must be a free function, not a method",
        ));
    };
    match &*parameter.ty {
        Type::Reference(_) => Err(Error::new(
            parameter.ty.span(),
            "must be taken by value, because the function outlives its caller",
        )),
        Type::ImplTrait(_) => Err(Error::new(
            parameter.ty.span(),
            "a task's function cannot be generic; name the type",
        )),
        owned => Ok(owned),
    }
}
