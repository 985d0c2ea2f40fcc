using System.Globalization;
using System.Threading.RateLimiting;
using JobHost.Server.Security;
using Microsoft.AspNetCore.RateLimiting;

namespace JobHost.Server.Http;

/// <summary>Lets nobody send so much that nothing is left for others.</summary>
internal static class Throttle
{
    private const int BurstSeconds = 10;

    internal static RateLimiterOptions Of(int perSecond)
    {
        var options = new RateLimiterOptions
        {
            RejectionStatusCode = StatusCodes.Status429TooManyRequests,
            GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                // Probes of a supervisor must get through.
                context.Request.Path.StartsWithSegments("/healthz", StringComparison.Ordinal)
                    ? RateLimitPartition.GetNoLimiter("")
                    : RateLimitPartition.GetTokenBucketLimiter(
                        KeyOf(context),
                        _ =>
                            new()
                            {
                                TokenLimit = perSecond * BurstSeconds,
                                TokensPerPeriod = perSecond,
                                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                                AutoReplenishment = true,
                                QueueLimit = 0,
                            }
                    )
            ),
        };
        options.OnRejected = async (rejected, _) =>
        {
            rejected.HttpContext.Response.Headers.RetryAfter = 1.ToString(CultureInfo.InvariantCulture);
            await Problems.TooManyRequests().ExecuteAsync(rejected.HttpContext);
        };
        return options;
    }

    // Whoever shows no valid key has only an address.
    private static string KeyOf(HttpContext context)
    {
        var caller = Caller.Of(context);
        return context.User.Identity?.IsAuthenticated == true && caller.Name != "anonymous"
            ? $"key {caller.Name}"
            : $"address {caller.Address}";
    }
}
