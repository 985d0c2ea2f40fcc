using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Client;

/// <summary>Registers the client.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Registers <see cref="JobHostClient"/>, whose connections are the client factory's.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="configure">Says at least where the server is.</param>
    /// <returns>With which handlers can be added.</returns>
    public static IHttpClientBuilder AddJobHostClient(
        this IServiceCollection services,
        Action<JobHostClientOptions> configure
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new JobHostClientOptions();
        configure(options);
        return services.AddHttpClient(nameof(JobHostClient)).AddTypedClient(http => new JobHostClient(http, options));
    }
}
