using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace JobHost.Server.Security;

/// <summary>
/// Knows a caller by its key: <c>Authorization: Bearer</c> or <c>X-Api-Key</c>. A page that a person opens in a browser may be
/// asked for with the key as the password of HTTP's own sign-in; a change never, as browsers send that along with whatever
/// another site makes them send.
/// </summary>
internal sealed class KeyAuthentication(
    KeyRing keys,
    WrongKeys wrongKeys,
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    internal const string SchemeName = "ApiKey";

    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    // A key never changes: another one takes its place.
    private static readonly ConditionalWeakTable<ApiKey, AuthenticateResult> Tickets = [];
    private static readonly ApiKey Anonymous = new() { Name = "anonymous", Role = Role.Admin };

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = IsForPeople
            ? "Basic realm=\"JobHost: the key is the password\", charset=\"UTF-8\""
            : "Bearer realm=\"JobHost\"";
        return Task.CompletedTask;
    }

    private bool IsForPeople =>
        (HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method))
        && (
            Request.Path.StartsWithSegments("/swagger", StringComparison.Ordinal)
            || Request.Path.StartsWithSegments("/openapi", StringComparison.Ordinal)
        );

    private AuthenticateResult Authenticate()
    {
        if (!keys.IsNeeded)
        {
            return Known(Anonymous);
        }
        return Secret() is not { Length: > 0 } secret ? AuthenticateResult.NoResult()
            : keys.Find(secret) is { } key ? Known(key)
            : Unknown();
    }

    private AuthenticateResult Unknown()
    {
        wrongKeys.Note(Context);
        return AuthenticateResult.Fail("There is no such key, or it has expired.");
    }

    private string? Secret()
    {
        if (Request.Headers["X-Api-Key"].ToString() is { Length: > 0 } plain)
        {
            return plain;
        }
        var header = Request.Headers.Authorization.ToString();
        return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim()
            : IsForPeople && header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)
                ? PasswordOf(header[Basic.Length..])
            : null;
    }

    private static string? PasswordOf(string encoded)
    {
        var bytes = new byte[encoded.Length];
        return
            Convert.TryFromBase64String(encoded.Trim(), bytes, out var length)
            && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [_, var password]
            ? password
            : null;
    }

    private static AuthenticateResult Known(ApiKey key) =>
        Tickets.GetValue(
            key,
            static known => AuthenticateResult.Success(new(Caller.Principal(known, SchemeName), SchemeName))
        );
}
