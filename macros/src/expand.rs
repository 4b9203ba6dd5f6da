//! Generates the code for a function with the attribute.

use crate::arguments::{Arguments, check_name};
use crate::signature::Types;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, ItemFn, parse2};

/// Returns the function and the generated type, or the function and the errors.
pub(crate) fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match parse2(item.clone()) {
        Ok(function) => function,
        Err(problem) => {
            let problem = Error::new(problem.span(), "#[task] can only be used on an async fn")
                .into_compile_error();
            return quote!(#item #problem);
        }
    };
    match registration(arguments, &function) {
        Ok(registration) => quote!(#function #registration),
        Err(problem) => {
            // The function remains, so that the compiler reports only the error itself.
            let problem = problem.into_compile_error();
            quote!(#function #problem)
        }
    }
}

fn registration(arguments: TokenStream, function: &ItemFn) -> Result<TokenStream, Error> {
    let arguments = Arguments::parse(arguments);
    let types = Types::of(&function.sig);
    // Both errors are reported.
    let (arguments, types) = match (arguments, types) {
        (Ok(arguments), Ok(types)) => (arguments, types),
        (Err(mut problem), Err(other)) => {
            problem.combine(other);
            return Err(problem);
        }
        (Err(problem), _) | (_, Err(problem)) => return Err(problem),
    };
    let ident = &function.sig.ident;
    let name = match arguments.name {
        Some(name) => name,
        None => {
            let name = ident.unraw().to_string();
            check_name(&name).map_err(|problem| Error::new(ident.span(), problem))?;
            name
        }
    };
    let retry = arguments
        .retry
        .map(|retry| quote!(const RETRY: ::core::option::Option<&'static str> = ::core::option::Option::Some(#retry);));
    let timeout =
        arguments.timeout_seconds.map(|seconds| quote!(const TIMEOUT_SECONDS: u32 = #seconds;));
    let schedule = arguments.schedule.map(|(cron, timezone)| {
        let timezone = option(timezone.map(|timezone| quote!(#timezone)));
        quote! {
            const SCHEDULE: ::core::option::Option<::scheduler_dispatcher::Schedule> = ::core::option::Option::Some(
                ::scheduler_dispatcher::Schedule { cron: #cron, timezone: #timezone }
            );
        }
    });
    let run = run(function, &types);
    let visibility = &function.vis;
    // The `cfg` conditions of the function also apply to its type, because neither compiles without
    // the other.
    let conditions = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let conditions: TokenStream = conditions.map(|attribute| quote!(#attribute)).collect();
    let doc = format!("The handler `{name}`, to be registered with `Handlers::with_task`.");
    Ok(quote! {
        #conditions
        #[doc = #doc]
        #[allow(non_camel_case_types)]
        #visibility enum #ident {}

        #conditions
        impl ::scheduler_dispatcher::Task for #ident {
            const NAME: &'static str = #name;
            #retry
            #timeout
            #schedule
            #run
        }
    })
}

/// Returns the call of the function. Each type keeps its span, so that the compiler marks an error
/// at the type and not at the attribute.
fn run(function: &ItemFn, types: &Types<'_>) -> TokenStream {
    let ident = &function.sig.ident;
    let Types { context: context_type, payload: payload_type, output } = types;
    let (payload, outcome) = (format_ident!("__payload"), format_ident!("__outcome"));
    let context =
        format_ident!("__context", span = Span::call_site().located_at(context_type.span()));
    let read = payload_type.map(|payload_type| {
        quote_spanned! {payload_type.span()=>
            let #payload = ::scheduler_dispatcher::TaskContext::payload::<#payload_type>(&#context)?;
        }
    });
    let typed = quote_spanned!(context_type.span()=> let #context: #context_type = #context;);
    let payload_argument = payload_type.map(|_| quote!(, #payload));
    let returned = quote_spanned! {output.span()=>
        let #outcome: ::core::result::Result<(), ::scheduler_dispatcher::HandlerError> = #ident(#context #payload_argument).await;
    };
    quote! {
        fn run(#context: ::scheduler_dispatcher::TaskContext) -> ::scheduler_dispatcher::TaskFuture {
            ::std::boxed::Box::pin(async move {
                #read
                #typed
                #returned
                #outcome
            })
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
