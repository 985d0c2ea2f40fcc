using JobHost.Server.Metrics;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;

namespace JobHost.Server.Api;

/// <summary>What is counted and measured, for Prometheus and whoever reads its format.</summary>
internal static class MetricsApi
{
    private const string JobLabel = "jobhost.job";
    private const string OpenMetrics = "application/openmetrics-text";

    internal static void MapMetrics(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/metrics", Read)
            .WithTag("Metrics", "What is counted and measured.")
            .WithName("GetMetrics")
            .WithSummary("Shows what is counted and measured, as text for Prometheus.")
            .WithDescription(
                "Format 0.0.4, or OpenMetrics 1.0 where `Accept` names `application/openmetrics-text`. A key of some jobs sees no series of others."
            )
            .Produces<string>(200, "text/plain", OpenMetrics);

    private static IResult Read(MetricsCollector metrics, HttpContext context)
    {
        var caller = Caller.Of(context);
        var isOpen = context
            .Request.GetTypedHeaders()
            .Accept.Any(accepted => accepted.MediaType == OpenMetrics && accepted.Quality != 0);
        var text = new MetricsText(isOpen);
        foreach (var (family, series) in metrics.Collect())
        {
            text.Add(family, series.Where(one => IsSeen(one.Labels, caller)));
        }
        return Results.Text(text.ToString(), text.ContentType);
    }

    private static bool IsSeen(Labels labels, Caller caller) =>
        caller.Jobs is null || !labels.Pairs.Any(pair => pair.Key == JobLabel && !caller.Sees(pair.Value));
}
