using System.Security.Claims;

namespace JobHost.Server.Security;

/// <summary>Who sent a request.</summary>
/// <param name="Name">The name of the key, or <c>anonymous</c>.</param>
/// <param name="Role">What it may do.</param>
/// <param name="Jobs">The only jobs that it may see; null: all.</param>
/// <param name="Address">Where the request came from.</param>
internal sealed record Caller(string Name, Role Role, IReadOnlyList<string>? Jobs, string? Address)
{
    private const string JobClaim = "job";

    internal static Caller Of(HttpContext context)
    {
        if (context.Features.Get<Caller>() is { } known)
        {
            return known;
        }
        var address = context.Connection.RemoteIpAddress?.ToString();
        var user = context.User;
        if (user.Identity is not { IsAuthenticated: true, Name: { } name })
        {
            return new("unknown", Role.Viewer, [], address);
        }
        var jobs = user.FindAll(JobClaim).Select(claim => claim.Value).ToList();
        var role = Enum.Parse<Role>(user.FindFirstValue(ClaimTypes.Role)!);
        var caller = new Caller(name, role, jobs.Count == 0 ? null : jobs, address);
        context.Features.Set(caller);
        return caller;
    }

    /// <summary>The principal that a key stands for.</summary>
    internal static ClaimsPrincipal Principal(ApiKey key, string scheme) =>
        new(
            new ClaimsIdentity(
                [
                    new(ClaimTypes.Name, key.Name),
                    new(ClaimTypes.Role, key.Role.ToString()),
                    .. (key.Jobs ?? []).Select(job => new Claim(JobClaim, job)),
                ],
                scheme
            )
        );

    /// <summary>Whether it may see and start runs of a job.</summary>
    internal bool Sees(string? job) => Jobs is null || (job is not null && Jobs.Contains(job, StringComparer.Ordinal));

    /// <summary>For receipts and logs.</summary>
    public override string ToString() => $"{Name} from {Address ?? "unknown"}";
}
