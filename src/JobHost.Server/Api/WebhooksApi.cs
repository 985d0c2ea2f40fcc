using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using JobHost.Control;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using JobHost.Server.Webhooks;
using JobHost.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>Who is told of events, and what came of it. Webhooks are configured, not made over REST.</summary>
internal static class WebhooksApi
{
    internal static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var hooks = routes
            .MapGroup("/api/v1/webhooks")
            .WithTag("Webhooks", "Who is told of events, and what came of it.");
        hooks
            .MapGet("/", List)
            .WithName("ListWebhooks")
            .WithSummary("Lists the webhooks that are configured, without their secrets.")
            .Needs(Role.Admin);
        hooks
            .MapGet("/{name}/deliveries", DeliveriesAsync)
            .WithName("ListDeliveries")
            .WithSummary("Lists what came of telling a webhook of events, the newest first.")
            .WithDescription($"The newest {WebhookFollower.Kept} are kept.")
            .Refuses(ProblemTypes.UnknownWebhook, ProblemTypes.InvalidPageToken)
            .Needs(Role.Admin);
    }

    private static Ok<PageContract<WebhookContract>> List(
        WebhookService webhooks,
        JobRegistry registry,
        HttpContext context
    ) =>
        TypedResults.Ok(
            new PageContract<WebhookContract>(
                [.. webhooks.Followers.Select(follower => WebhookContract.Of(follower, registry.Events.Last, context))],
                NextPageToken: null
            )
        );

    private static async Task<Results<Ok<PageContract<DeliveryContract>>, ProblemHttpResult>> DeliveriesAsync(
        [Description("The name of the webhook.")] string name,
        WebhookService webhooks,
        IWebhookStore store,
        [Range(1, Paging.MaxSize), Description(Paging.SizeWords)] int? pageSize,
        [Description(Paging.TokenWords)] string? pageToken
    )
    {
        if (!webhooks.Followers.Any(follower => follower.Hook.Name == name))
        {
            return Problems.UnknownWebhook(name);
        }
        if (pageSize is < 1 or > Paging.MaxSize)
        {
            return Problems.MalformedRequest(
                "A parameter is not valid; the errors name it.",
                new Dictionary<string, string[]>(StringComparer.Ordinal)
                {
                    ["pageSize"] = [$"The page size is 1 to {Paging.MaxSize}."],
                }
            );
        }
        long before = 0;
        if (
            pageToken is not null
            && !long.TryParse(pageToken, NumberStyles.None, CultureInfo.InvariantCulture, out before)
        )
        {
            return Problems.InvalidPageToken();
        }
        var limit = pageSize ?? Paging.DefaultSize;
        var deliveries = await store.DeliveriesAsync(name, pageToken is null ? null : before, limit);
        return TypedResults.Ok(
            new PageContract<DeliveryContract>(
                [.. deliveries.Select(DeliveryContract.Of)],
                deliveries.Count == limit ? deliveries[^1].EventId.ToString(CultureInfo.InvariantCulture) : null
            )
        );
    }
}
