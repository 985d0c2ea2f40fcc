using JobHost.Control;
using JobHost.Jobs;
using JobHost.Storage;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace JobHost.Server.Webhooks;

/// <summary>Serves all webhooks, each at its own pace: one whose receiver is down or slow holds up no other.</summary>
internal sealed class WebhookService : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly IWebhookStore store;
    private readonly TimeProvider time;
    private readonly ILogger<WebhookService> logger;

    /// <exception cref="JobConfigurationException">A webhook names a job that there is not.</exception>
    public WebhookService(
        IReadOnlyList<Webhook> hooks,
        JobCatalog catalog,
        JobRegistry registry,
        IWebhookStore store,
        IOptions<JsonOptions> json,
        TimeProvider time,
        ILogger<WebhookService> logger
    )
    {
        this.store = store;
        this.time = time;
        this.logger = logger;
        foreach (var hook in hooks)
        {
            hook.Check(catalog);
        }
        Followers =
        [
            .. hooks.Select(hook => new WebhookFollower(
                hook,
                registry.Events,
                store,
                json.Value.SerializerOptions,
                time,
                logger
            )),
        ];
    }

    internal IReadOnlyList<WebhookFollower> Followers { get; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await store.KeepOnlyAsync([.. Followers.Select(follower => follower.Hook.Name)]);
        }
        catch (StoreUnavailableException)
        {
            // What is left of webhooks that are gone is in nobody's way.
        }
        await Task.WhenAll(Followers.Select(follower => RunAsync(follower, stoppingToken)));
    }

    private async Task RunAsync(WebhookFollower follower, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await follower.RunAsync(stop);
            }
            catch (Exception problem)
            {
                // The store cannot be read, or a bug of ours: it begins again from what is on record, and must end neither
                // the service nor the other webhooks.
                logger.WebhookInterrupted(follower.Hook.Name, problem);
                await Task.Delay(Pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
