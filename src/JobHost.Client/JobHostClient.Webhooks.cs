using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    /// <summary>The webhooks that are configured.</summary>
    public async Task<IReadOnlyList<Webhook>> ListWebhooksAsync(CancellationToken cancellationToken = default) =>
        (await GetAsync("webhooks", ClientJson.Default.PageWebhook, cancellationToken)).Items;

    /// <summary>What came of telling a webhook of events, the newest first, page by page as it is taken.</summary>
    public IAsyncEnumerable<Delivery> EnumerateDeliveriesAsync(
        string webhook,
        CancellationToken cancellationToken = default
    ) => EnumerateAsync(token => ListDeliveriesAsync(webhook, MaxPageSize, token, cancellationToken));

    /// <summary>A page of what came of telling a webhook of events, the newest first.</summary>
    /// <param name="webhook">Its name.</param>
    /// <param name="pageSize">1 to 500; null: 50.</param>
    /// <param name="pageToken">Of the page before; null: the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Page<Delivery>> ListDeliveriesAsync(
        string webhook,
        int? pageSize = null,
        string? pageToken = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(webhook);
        return GetAsync(
            new QueryText($"webhooks/{Segment(webhook)}/deliveries")
                .Add("pageSize", pageSize)
                .Add("pageToken", pageToken)
                .ToString(),
            ClientJson.Default.PageDelivery,
            cancellationToken
        );
    }
}
